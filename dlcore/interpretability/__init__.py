"""What a network looked at, and whether the map says so (chapter Interpretability, chapters/08_interpretability).

Every method takes (model, inputs, target, …) and any model built of dlcore's layers, on any library's arrays. A map has
the shape of the inputs.

    gradient_maps   saliency gradient_x_input smooth_grad integrated_gradients guided_backprop
    perturbation    occlusion shapley_values permutation_importance
    inside          grad_cam feature_visualization linear_probe
    attack          adversarial_example randomized rank_similarity

A heat map is a claim about the model, not about the world, and may be false about both. The tests hold the methods
against their axioms; the chapter shows where each of them lies.
"""

from .attack import adversarial_example, randomized, rank_similarity
from .gradient_maps import gradient_x_input, guided_backprop, integrated_gradients, saliency, smooth_grad
from .inside import Probe, feature_visualization, grad_cam, linear_probe
from .perturbation import occlusion, permutation_importance, shapley_values

__all__ = [
    "Probe",
    "adversarial_example",
    "feature_visualization",
    "grad_cam",
    "gradient_x_input",
    "guided_backprop",
    "integrated_gradients",
    "linear_probe",
    "occlusion",
    "permutation_importance",
    "randomized",
    "rank_similarity",
    "saliency",
    "shapley_values",
    "smooth_grad",
]
