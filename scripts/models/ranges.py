"""What the tensors of two nets span on 774 crops of 258 faces, paddings .1, .2 and .3; three digits, as `quantize` takes it."""

AGE = {
    "img_t": (0.0, 255.0),
    "layer_50_relu": (0.0, 35.4),
    "layer_49_maxpool": (0.0, 35.4),
    "layer_45_relu": (0.0, 16.3),
    "layer_43_affine": (-38.0, 25.8),
    "layer_41_relu": (0.0, 28.2),
    "layer_37_relu": (0.0, 13.7),
    "layer_35_affine": (-13.4, 18.6),
    "layer_32_averagepool": (0.0, 23.4),
    "layer_31_left_padded": (0.0, 23.4),
    "layer_31_right_padded": (-13.4, 18.6),
    "layer_30_relu": (0.0, 24.0),
    "layer_26_relu": (0.0, 8.85),
    "layer_24_affine": (-11.6, 13.5),
    "layer_22_relu": (0.0, 25.6),
    "layer_18_relu": (0.0, 12.1),
    "layer_16_affine": (-30.0, 26.9),
    "layer_13_averagepool": (0.0, 12.3),
    "layer_12_left_padded": (0.0, 12.3),
    "layer_11_relu": (0.0, 26.9),
    "layer_7_relu": (0.0, 5.99),
    "layer_5_affine": (-35.9, 39.8),
    "layer_3_relu": (0.0, 52.7),
}
"""The net takes pixels (`img_t`) after its mean was worked into its weights; all convolutions are rounded."""

GENDER = {
    "layer_17_relu": (0.0, 34.9),
    "layer_14_relu": (0.0, 29.8),
    "layer_13_averagepool": (0.0, 13.4),
    "layer_10_relu": (0.0, 10.1),
    "layer_7_relu": (0.0, 12.5),
    "layer_6_averagepool": (0.0, 8.52),
}
"""The first convolution stays in float: its padding is the mean, which is no whole number."""
