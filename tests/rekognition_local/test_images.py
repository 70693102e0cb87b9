"""An `Image` is bytes or an S3 object, JPEG or PNG, within AWS's limits; everything else has AWS's error for it."""

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.errors import SettingsError
from rekognition_local.images import MAX_BYTES, MAX_S3_BYTES, ImageLoader, picture_of, read_picture
from rekognition_local.protocol import ServiceError
from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg, png, portrait_bytes


def _load(image, loader=None):
    return picture_of((loader or ImageLoader()).fetched({"Image": image})["Image"])


def _refusal(image, loader=None):
    with pytest.raises(ServiceError) as raised:
        _load(image, loader)
    return raised.value


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_jpeg_and_png_bytes_are_read(name):
    assert _load({"Bytes": portrait_bytes(name)}).shape[1] == 512


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (portrait_bytes(HOPPER)[:20_000], "InvalidImageFormatException", "cut off after 20000 bytes"),
        (portrait_bytes(ASTRONAUT)[:-30], "InvalidImageFormatException", "cut off"),
        (b"GIF89a" + b"\0" * 200, "InvalidImageFormatException", "neither JPEG nor PNG"),
        (b"I am not a picture.", "InvalidImageFormatException", "neither JPEG nor PNG"),
        (jpeg(background(79, 200)), "InvalidParameterException", "79 x 200 pixels; each side must have at least 80"),
        (png(background(300, 79)), "InvalidParameterException", "300 x 79"),
        (portrait_bytes(HOPPER) + b"\0" * MAX_BYTES, "ImageTooLargeException", f"the most is {MAX_BYTES}"),
    ],
    ids=["cut jpeg", "cut png", "gif", "text", "narrow", "low", "6 MB"],
)
def test_what_aws_refuses_is_refused_by_the_same_name(data, code, words):
    error = _refusal({"Bytes": data})
    assert error.code == code
    assert words in str(error)


@pytest.mark.parametrize("size", [(80, 80), (80, 2000)])
def test_the_smallest_picture_is_taken(size):
    assert _load({"Bytes": jpeg(background(*size))}).shape[:2] == size[::-1]


def test_exactly_the_most_bytes_are_taken():
    data = portrait_bytes(HOPPER)
    assert read_picture(data + b"\0" * (MAX_BYTES - len(data)), MAX_BYTES).shape == (600, 512, 3)


@pytest.mark.parametrize("image", [{}, {"Bytes": b"x", "S3Object": {"Bucket": "photos", "Name": "a"}}])
def test_an_image_is_either_bytes_or_an_object(image):
    assert _refusal(image).code == "InvalidParameterException"


def test_without_an_s3_endpoint_no_object_is_read_because_that_would_call_aws():
    error = _refusal({"S3Object": {"Bucket": "photos", "Name": "a.jpg"}})
    assert error.code == "InvalidS3ObjectException"
    assert "no S3 endpoint" in str(error)


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    s3 = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="made", aws_secret_access_key="up")
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="photos", Key="who is/this.png", Body=portrait_bytes(ASTRONAUT))
    s3.put_object(Bucket="photos", Key="huge.jpg", Body=portrait_bytes(HOPPER) + b"\0" * MAX_S3_BYTES)
    s3.put_object(Bucket="photos", Key="six_megabytes.jpg", Body=portrait_bytes(HOPPER) + b"\0" * MAX_BYTES)
    yield url
    s3.close()
    server.stop()


def test_an_object_is_read_from_the_s3_endpoint(s3_url):
    assert _load({"S3Object": {"Bucket": "photos", "Name": "who is/this.png"}}, ImageLoader(s3_url)).shape == (512, 512, 3)


def test_an_object_may_be_larger_than_bytes_may(s3_url):
    loaded = _load({"S3Object": {"Bucket": "photos", "Name": "six_megabytes.jpg"}}, ImageLoader(s3_url))
    assert loaded.shape == (600, 512, 3)
    huge = {"S3Object": {"Bucket": "photos", "Name": "huge.jpg"}}
    assert _refusal(huge, ImageLoader(s3_url)).code == "ImageTooLargeException"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ({"Bucket": "photos", "Name": "nobody.jpg"}, "InvalidS3ObjectException"),
        ({"Bucket": "nowhere", "Name": "this.png"}, "InvalidS3ObjectException"),
        ({"Bucket": "photos", "Name": "who is/this.png", "Version": "none"}, "InvalidS3ObjectException"),
        ({"Bucket": "photos"}, "InvalidParameterException"),
    ],
)
def test_an_object_that_cannot_be_read_is_named(s3_url, place, code):
    error = _refusal({"S3Object": place}, ImageLoader(s3_url))
    assert error.code == code
    assert code == "InvalidParameterException" or place["Bucket"] in str(error)


@pytest.mark.parametrize("url", ["localhost:4566", "s3://bucket", "http://", "http://host:99999", "/a/path", ""])
def test_an_s3_endpoint_that_is_no_url_is_refused_at_the_start(url):
    with pytest.raises(SettingsError, match=r"is no URL: write http://localhost:9000"):
        ImageLoader(url)


def test_a_path_instead_of_a_picture_is_explained():
    assert "fileb://" in str(_refusal({"Bytes": b"astronaut.png"}))


def test_an_s3_endpoint_that_does_not_answer_is_an_s3_error():
    error = _refusal({"S3Object": {"Bucket": "photos", "Name": "a.jpg"}}, ImageLoader("http://127.0.0.1:9"))
    assert error.code == "InvalidS3ObjectException"
