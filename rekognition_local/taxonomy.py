"""Rekognition's labels for the things that the nets here know: names, the labels above them, categories, other names.

Taken from AWS's pages "Detecting labels" and "Detecting labels in an image", and from answers of its label models 2.0
and 3.0 that people have published. AWS's whole list, a file on the first of these pages, was not at hand: what was not
known for sure is left out, so some labels stand alone here and do not at AWS.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_ANIMALS = "Animals and Pets"
_APPAREL = "Apparel and Accessories"
_APPLIANCES = "Home Appliances"
_FEELINGS = "Expressions and Emotions"
_FOOD = "Food and Beverage"
_FURNITURE = "Furniture and Furnishings"
_HOME = "Home and Indoors"
_KITCHEN = "Kitchen and Dining"
_PERSON = "Person Description"
_PLANTS = "Plants and Flowers"
_TECHNOLOGY = "Technology and Computing"
_TOYS = "Toys and Gaming"
_VEHICLES = "Vehicles and Automotive"


@dataclass(frozen=True, slots=True)
class Label:
    """A label: its name, its category if known, the labels right above it, and its other names."""

    name: str
    category: str | None = None
    above: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


_LABELS = (
    Label("Person", _PERSON, aliases=("Human",)),
    Label("Head", _PERSON, ("Person",)),
    Label("Face", _PERSON, ("Head",)),
    Label("Happy", _FEELINGS, ("Face",)),
    Label("Smile", _FEELINGS, ("Happy",)),
    Label("Transportation", "Transport and Logistics"),
    Label("Vehicle", _VEHICLES, ("Transportation",)),
    Label("Bicycle", "Hobbies and Interests", ("Vehicle",), ("Bike",)),
    Label("Car", _VEHICLES, ("Vehicle",), ("Automobile",)),
    Label("Motorcycle", _VEHICLES, ("Vehicle",)),
    Label("Aircraft", _VEHICLES, ("Vehicle",)),
    Label("Airplane", _VEHICLES, ("Aircraft",)),
    Label("Bus", _VEHICLES, ("Vehicle",)),
    Label("Train", _VEHICLES, ("Vehicle",)),
    Label("Truck", _VEHICLES, ("Vehicle",)),
    Label("Boat", _VEHICLES, ("Vehicle",)),
    Label("Light"),
    Label("Traffic Light", None, ("Light",)),
    Label("Hydrant", "Tools and Machinery"),
    Label("Fire Hydrant", "Public Safety", ("Hydrant",)),
    Label("Symbol"),
    Label("Sign", None, ("Symbol",)),
    Label("Road Sign", None, ("Sign",)),
    Label("Stop Sign", None, ("Road Sign",)),
    Label("Parking Meter"),
    Label("Animal", _ANIMALS),
    Label("Mammal", _ANIMALS, ("Animal",)),
    Label("Pet", _ANIMALS, ("Animal",)),
    Label("Canine", _ANIMALS, ("Mammal",)),
    Label("Wildlife", _ANIMALS, ("Animal",)),
    Label("Cattle", _ANIMALS, ("Mammal",)),
    Label("Bird", _ANIMALS, ("Animal",)),
    Label("Cat", _ANIMALS, ("Mammal", "Pet")),
    Label("Dog", _ANIMALS, ("Canine", "Pet")),
    Label("Horse", _ANIMALS, ("Mammal",)),
    Label("Sheep", _ANIMALS, ("Mammal",)),
    Label("Cow", _ANIMALS, ("Cattle",)),
    Label("Elephant", _ANIMALS, ("Mammal", "Wildlife")),
    Label("Bear", _ANIMALS, ("Mammal", "Wildlife")),
    Label("Zebra", _ANIMALS, ("Mammal", "Wildlife")),
    Label("Giraffe", _ANIMALS, ("Mammal", "Wildlife")),
    Label("Accessories", _APPAREL, aliases=("Accessory",)),
    Label("Bag", _APPAREL),
    Label("Backpack", _APPAREL, ("Bag",)),
    Label("Handbag", _APPAREL, ("Accessories", "Bag")),
    Label("Formal Wear", _APPAREL),
    Label("Tie", _APPAREL, ("Accessories", "Formal Wear")),
    Label("Canopy"),
    Label("Umbrella", None, ("Canopy",)),
    Label("Suitcase"),
    Label("Toy", _TOYS),
    Label("Frisbee", _TOYS, ("Toy",)),
    Label("Kite", _TOYS, ("Toy",)),
    Label("Teddy Bear", _TOYS, ("Toy",)),
    Label("Skis"),
    Label("Snowboard"),
    Label("Ball"),
    Label("Baseball Bat"),
    Label("Baseball Glove"),
    Label("Skateboard"),
    Label("Surfboard"),
    Label("Racket"),
    Label("Tennis Racket", None, ("Racket",)),
    Label("Bottle"),
    Label("Wine Glass"),
    Label("Cup", _KITCHEN, aliases=("Mug",)),
    Label("Cutlery", _KITCHEN),
    Label("Fork", _KITCHEN, ("Cutlery",)),
    Label("Knife"),
    Label("Spoon", _KITCHEN, ("Cutlery",)),
    Label("Bowl", _KITCHEN),
    Label("Food", _FOOD),
    Label("Produce", _FOOD, ("Food",)),
    Label("Plant", _PLANTS),
    Label("Fruit", _FOOD, ("Plant", "Produce")),
    Label("Citrus Fruit", _FOOD, ("Fruit",)),
    Label("Vegetable", _FOOD, ("Plant", "Produce")),
    Label("Banana", _FOOD, ("Fruit",)),
    Label("Apple", _FOOD, ("Fruit",)),
    Label("Orange", _FOOD, ("Citrus Fruit",)),
    Label("Broccoli", _FOOD, ("Vegetable",)),
    Label("Carrot", _FOOD, ("Vegetable",)),
    Label("Sandwich", _FOOD, ("Food",)),
    Label("Hot Dog", _FOOD, ("Food",)),
    Label("Pizza", _FOOD, ("Food",)),
    Label("Donut", _FOOD, ("Food",)),
    Label("Dessert", _FOOD, ("Food",)),
    Label("Cake", _FOOD, ("Dessert",)),
    Label("Furniture", _FURNITURE),
    Label("Table", _FURNITURE, ("Furniture",)),
    Label("Bench", _FURNITURE, ("Furniture",)),
    Label("Chair", _FURNITURE, ("Furniture",)),
    Label("Couch", _FURNITURE, ("Furniture",)),
    Label("Bed", _FURNITURE, ("Furniture",)),
    Label("Dining Table", _FURNITURE, ("Table",)),
    Label("Jar"),
    Label("Pottery"),
    Label("Vase", None, ("Jar", "Pottery")),
    Label("Potted Plant", _PLANTS, ("Plant", "Vase")),
    Label("Indoors", _HOME),
    Label("Room", _HOME, ("Indoors",)),
    Label("Bathroom", _HOME, ("Room",)),
    Label("Toilet", _HOME, ("Bathroom",)),
    Label("Sink"),
    Label("Electronics", _TECHNOLOGY),
    Label("Hardware", _TECHNOLOGY, ("Electronics",)),
    Label("Computer Hardware", _TECHNOLOGY, ("Hardware",)),
    Label("Computer", _TECHNOLOGY, ("Electronics",)),
    Label("Pc", _TECHNOLOGY, ("Computer",)),
    Label("Laptop", _TECHNOLOGY, ("Pc",)),
    Label("Screen", _TECHNOLOGY, ("Electronics",)),
    Label("Monitor", _TECHNOLOGY, ("Computer Hardware", "Screen")),
    Label("TV", _TECHNOLOGY, ("Monitor",), ("Television",)),
    Label("Mouse", _TECHNOLOGY, ("Computer Hardware",)),
    Label("Remote Control", _TECHNOLOGY, ("Electronics",)),
    Label("Computer Keyboard", _TECHNOLOGY, ("Computer", "Computer Hardware")),
    Label("Phone", _TECHNOLOGY, ("Electronics",)),
    Label("Mobile Phone", _TECHNOLOGY, ("Phone",), ("Cell Phone",)),
    Label("Appliance", _APPLIANCES),
    Label("Oven", _APPLIANCES, ("Appliance",)),
    Label("Microwave", _APPLIANCES, ("Oven",)),
    Label("Toaster", _APPLIANCES, ("Appliance",)),
    Label("Refrigerator", _APPLIANCES, ("Appliance",)),
    Label("Hair Drier"),
    Label("Book"),
    Label("Clock"),
    Label("Scissors"),
    Label("Brush"),
    Label("Tool"),
    Label("Toothbrush", None, ("Brush", "Tool")),
)
LABELS = {label.name: label for label in _LABELS}
"""The labels by their names."""

_OTHERWISE = {
    "cell phone": "Mobile Phone",
    "keyboard": "Computer Keyboard",
    "remote": "Remote Control",
    "sports ball": "Ball",
    "tv": "TV",
}


def label_of(kind: str) -> Label:
    """Return Rekognition's label for a thing of one of COCO's kinds (vision.objects.KINDS)."""
    return LABELS[_OTHERWISE.get(kind, kind.title())]


def ancestors(label: Label) -> list[str]:
    """Return the names of all labels above one, in the order of the alphabet, as Rekognition lists them."""
    return sorted(set(_above(label)))


def _above(label: Label) -> Iterable[str]:
    for name in label.above:
        yield name
        yield from _above(LABELS[name])
