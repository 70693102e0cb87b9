"""How well the models of vision/ do, measured on a folder of pictures, and written down.

python -m accuracy FOLDER [--write docs/accuracy.md] [--json figures.json] [--before figures.json]

samples      the folder and its labels               scenes       faces put into frames in known places
trials       the engine run over them, on all cores  figures      shares, numbers and the tables they stand in
recall       which faces are found, and where        pose         how the head is turned
answers      gender, age, emotions, smile, eyes      steadiness   the same face, a pixel further
identity     who a face is like                      page         all tables on one page

It imports vision/ only, and nothing of the product imports it.
"""
