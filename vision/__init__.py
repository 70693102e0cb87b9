"""Small open face models on onnxruntime: pictures in, faces out. Knows no Redis, no HTTP and nothing else of ours.

    pictures.decode(jpeg_or_png) -> rgb -> faces.FaceEngine().analyse(rgb, attributes) -> [Face, ...]

One room per step, each usable alone:

    entities     what the others hand to each other; imports nothing of ours
    pictures     bytes -> RGB array                       geometry     crops and turns
    nets         one onnxruntime session                  yunet        the net that finds faces, and its answers
    detections   faces that were found, as arrays         detector     where the faces are, of any size and turn
    mesh         468 points on each face, at any turn     chips        faces cut out, eyes and nose in their places
    eyes         lids and pupils                          attributes   age, gender, expression, mouth, quality
    embedding    who a face is like                       faces        all of it together
    objects      things and where they are                colours      what they look like
    disguise     faces covered in a picture
"""
