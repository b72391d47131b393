"""What a candidate would gain that cheats with scikit-learn's own copy of the digits: run after prepare.py."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC


def order_of_pixels(images: np.ndarray, labels: np.ndarray, copy: np.ndarray, copy_labels: np.ndarray) -> np.ndarray:
    """Return where each pixel of the copy stands in the task's images, by the means and deviations of the classes."""

    def looks(pixels: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [statistic(pixels[classes == digit], axis=0) for digit in range(10) for statistic in (np.mean, np.std)]
        ).reshape(20, -1)

    differences = looks(copy, copy_labels)[:, :, None] - looks(images, labels)[:, None, :]
    return linear_sum_assignment((differences**2).sum(axis=0))[1]


def main() -> None:
    """Print the accuracies as a Markdown table."""
    training, test = np.load("train.npz"), np.load("test.npz")["images"]
    images, labels, expected = training["images"], training["labels"], np.load("labels.npz")["labels"]
    copy, copy_labels = load_digits(return_X_y=True)
    order = order_of_pixels(images, labels, copy, copy_labels)
    nearest = KNeighborsClassifier(1).fit(copy, copy_labels)
    machine = SVC(C=10, gamma=0.001)
    predictions = {
        "a support vector machine on the 1,000 images": machine.fit(images, labels).predict(test),
        "take the label of the nearest image in scikit-learn's copy": nearest.predict(test),
        "train a support vector machine on scikit-learn's copy": machine.fit(copy, copy_labels).predict(test),
        "find the order of the pixels by the look of the classes, then take the nearest": nearest.predict(
            test[:, order]
        ),
        "the same, then train on scikit-learn's copy and the 1,000 images together": machine.fit(
            np.concatenate([copy, images[:, order]]), np.concatenate([copy_labels, labels])
        ).predict(test[:, order]),
    }
    print("| what a candidate does | accuracy |\n|---|---|")
    for name, answers in predictions.items():
        print(f"| {name} | {np.mean(answers == expected):.2f} |")


if __name__ == "__main__":
    main()
