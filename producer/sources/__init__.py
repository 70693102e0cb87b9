"""Where pictures come from: network streams, webcams, files and the demo, all behind `base.Source`."""

from producer.sources.base import Image, Moment, Picture, Source
from producer.sources.choose import Kind, kind_of, open_source

__all__ = ["Image", "Kind", "Moment", "Picture", "Source", "kind_of", "open_source"]
