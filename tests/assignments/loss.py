"""What learners hand in for the assignment on losses: typical wrong answers, and other right ones."""

from tests.assignments import Right, Wrong

WRONG = [
    Wrong(
        "huber",
        "the factor one half forgotten",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    costs = np.where(np.abs(d) <= delta, d**2, delta * (np.abs(d) - delta / 2))
    return np.mean(costs), np.clip(d, -delta, delta) / len(d)
""",
        "factor ½ was left out",
    ),
    Wrong(
        "huber",
        "the gradient of a sum",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    costs = np.where(np.abs(d) <= delta, d**2 / 2, delta * (np.abs(d) - delta / 2))
    return np.mean(costs), np.clip(d, -delta, delta)
""",
        "not divided by the number of examples",
    ),
    Wrong(
        "huber",
        "target minus prediction",
        """
def huber(predictions, targets, delta=1.0):
    d = targets - predictions
    costs = np.where(np.abs(d) <= delta, d**2 / 2, delta * (np.abs(d) - delta / 2))
    return np.mean(costs), np.clip(d, -delta, delta) / len(d)
""",
        "sign is turned round: a prediction that is too high",
    ),
    Wrong(
        "huber",
        "d for its distance from zero",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    costs = np.where(d <= delta, d**2 / 2, delta * (d - delta / 2))
    return np.mean(costs), np.where(d <= delta, d, delta) / len(d)
""",
        r"ask for \|d\|",
    ),
    Wrong(
        "huber",
        "a square everywhere",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    return np.mean(d**2 / 2), d / len(d)
""",
        "large errors pull as under the squared error",
    ),
    Wrong(
        "huber",
        "the straight part does not meet the square",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    costs = np.where(np.abs(d) <= delta, d**2 / 2, delta * np.abs(d))
    return np.mean(costs), np.clip(d, -delta, delta) / len(d)
""",
        "does not meet the square",
    ),
    Wrong(
        "huber",
        "delta is always 1",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    costs = np.where(np.abs(d) <= 1, d**2 / 2, np.abs(d) - 1 / 2)
    return np.mean(costs), np.clip(d, -1, 1) / len(d)
""",
        "delta was not used",
    ),
    Wrong(
        "log_softmax",
        "over the batch",
        """
def log_softmax(z):
    shifted = z - z.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))
""",
        "over the examples, down the columns",
    ),
    Wrong(
        "log_softmax",
        "large logits are harmless",
        """
def log_softmax(z):
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
""",
        "overflow.*subtract the largest logit first",
    ),
    Wrong(
        "log_softmax",
        "the logarithm of a finished probability",
        """
def log_softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.log(powers / powers.sum(axis=1, keepdims=True))
""",
        "do not take the logarithm of a finished probability",
    ),
    Wrong(
        "log_softmax",
        "a small number saves the logarithm",
        """
def log_softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.log(powers / powers.sum(axis=1, keepdims=True) + 1e-8)
""",
        "kept away from 0",
    ),
    Wrong(
        "log_softmax",
        "the largest logit of the batch is subtracted",
        """
def log_softmax(z):
    shifted = z - z.max()
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
""",
        "each row's own largest logit",
    ),
    Wrong(
        "log_softmax",
        "probabilities without their logarithm",
        """
def log_softmax(z):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "their logarithms were asked for",
    ),
    Wrong(
        "log_softmax",
        "the shift only in the sum",
        """
def log_softmax(z):
    return z - np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
""",
        "in the sum, but not from the logits themselves",
    ),
    Wrong(
        "log_softmax",
        "the shift is written into z",
        """
def log_softmax(z):
    z -= z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
""",
        "z itself was changed",
    ),
    Wrong(
        "cross_entropy",
        "the sum for the mean",
        """
def cross_entropy(z, labels):
    return -np.sum(log_softmax(z)[np.arange(len(labels)), labels])
""",
        "added up; the loss is their mean",
    ),
    Wrong(
        "cross_entropy",
        "the mean over the classes, too",
        """
def cross_entropy(z, labels):
    one_hot = np.eye(z.shape[1])[labels]
    return -np.mean(one_hot * log_softmax(z))
""",
        "mean over examples and classes",
    ),
    Wrong(
        "cross_entropy",
        "all columns of the labels",
        """
def cross_entropy(z, labels):
    return -np.mean(log_softmax(z)[:, labels])
""",
        "takes those columns from every row",
    ),
    Wrong(
        "cross_entropy",
        "the minus forgotten",
        """
def cross_entropy(z, labels):
    return np.mean(log_softmax(z)[np.arange(len(labels)), labels])
""",
        "minus is missing",
    ),
    Wrong(
        "cross_entropy",
        "the surest class for the right one",
        """
def cross_entropy(z, labels):
    return -np.mean(log_softmax(z).max(axis=1))
""",
        "largest logit",
    ),
    Wrong(
        "cross_entropy",
        "softmax twice",
        """
def cross_entropy(z, labels):
    p = np.exp(log_softmax(z))
    return -np.mean(log_softmax(p)[np.arange(len(labels)), labels])
""",
        "a softmax was put before the softmax",
    ),
    Wrong(
        "cross_entropy",
        "a small number saves the logarithm",
        """
def cross_entropy(z, labels):
    p = np.exp(log_softmax(z))[np.arange(len(labels)), labels]
    return -np.mean(np.log(p + 1e-8))
""",
        "kept away from 0",
    ),
    Wrong(
        "cross_entropy",
        "bits for nats",
        """
def cross_entropy(z, labels):
    return -np.mean(np.log2(np.exp(log_softmax(z)[np.arange(len(labels)), labels])))
""",
        "base 2",
    ),
    Wrong(
        "soft_targets",
        "spread over the other classes",
        """
def soft_targets(labels, num_classes, share):
    targets = np.full((len(labels), num_classes), share / (num_classes - 1))
    targets[np.arange(len(labels)), labels] = 1 - share
    return targets
""",
        "spread over the other classes only",
    ),
    Wrong(
        "soft_targets",
        "the right class keeps its 1",
        """
def soft_targets(labels, num_classes, share):
    return np.eye(num_classes)[labels] + share / num_classes
""",
        "on top",
    ),
    Wrong(
        "soft_targets",
        "taken and not given",
        """
def soft_targets(labels, num_classes, share):
    return np.eye(num_classes)[labels] * (1 - share)
""",
        "given to nobody",
    ),
    Wrong(
        "soft_targets",
        "classes counted from 1",
        """
def soft_targets(labels, num_classes, share):
    return (1 - share) * np.eye(num_classes)[labels - 1] + share / num_classes
""",
        "counted from 1",
    ),
    Wrong(
        "soft_targets",
        "a column for each example",
        """
def soft_targets(labels, num_classes, share):
    return (1 - share) * np.eye(num_classes)[:, labels] + share / num_classes
""",
        "each example is a row",
    ),
    Wrong(
        "soft_targets",
        "every class gets the whole share",
        """
def soft_targets(labels, num_classes, share):
    return (1 - share) * np.eye(num_classes)[labels] + share
""",
        "divided among the classes",
    ),
    Wrong(
        "cross_entropy_gradient",
        "right minus said",
        """
def cross_entropy_gradient(z, targets):
    return (targets - np.exp(log_softmax(z))) / len(z)
""",
        "sign is turned round",
    ),
    Wrong(
        "cross_entropy_gradient",
        "not averaged",
        """
def cross_entropy_gradient(z, targets):
    return np.exp(log_softmax(z)) - targets
""",
        "not divided by the number of examples",
    ),
    Wrong(
        "cross_entropy_gradient",
        "averaged over the classes, too",
        """
def cross_entropy_gradient(z, targets):
    return (np.exp(log_softmax(z)) - targets) / z.size
""",
        "examples times classes",
    ),
    Wrong(
        "cross_entropy_gradient",
        "the slope by p, not by z",
        """
def cross_entropy_gradient(z, targets):
    return -targets / np.exp(log_softmax(z)) / len(z)
""",
        "slope by p was taken",
    ),
    Wrong(
        "cross_entropy_gradient",
        "the sigmoid's p (1 - p) once more",
        """
def cross_entropy_gradient(z, targets):
    p = np.exp(log_softmax(z))
    return (p - targets) * p * (1 - p) / len(z)
""",
        "here it cancels",
    ),
    Wrong(
        "cross_entropy_gradient",
        "only the right class",
        """
def cross_entropy_gradient(z, targets):
    return (np.exp(log_softmax(z)) - targets) * targets / len(z)
""",
        "only the right class was given a slope",
    ),
    Wrong(
        "cross_entropy_gradient",
        "soft targets made hard",
        """
def cross_entropy_gradient(z, targets):
    gradient = np.exp(log_softmax(z))
    gradient[np.arange(len(z)), targets.argmax(axis=1)] -= 1
    return gradient / len(z)
""",
        "all targets count",
    ),
    Wrong(
        "cross_entropy_gradient",
        "written into the targets",
        """
def cross_entropy_gradient(z, targets):
    targets -= np.exp(log_softmax(z))
    return -targets / len(z)
""",
        "targets was changed",
    ),
    Wrong(
        "precision_recall",
        "precision and recall exchanged",
        """
def precision_recall(p, t, threshold):
    alarm, wanted = p > threshold, t == 1
    hits = np.sum(alarm & wanted)
    return hits / max(1, np.sum(wanted)), hits / max(1, np.sum(alarm))
""",
        "exchanged",
    ),
    Wrong(
        "precision_recall",
        "accuracy for precision",
        """
def precision_recall(p, t, threshold):
    alarm, wanted = p > threshold, t == 1
    return np.mean(alarm == wanted), np.sum(alarm & wanted) / max(1, np.sum(wanted))
""",
        "that is the accuracy",
    ),
    Wrong(
        "precision_recall",
        "divided by all examples",
        """
def precision_recall(p, t, threshold):
    hits = np.sum((p > threshold) & (t == 1))
    return hits / len(t), hits / len(t)
""",
        "divided by all examples",
    ),
    Wrong(
        "precision_recall",
        "a threshold of one half, whatever is asked",
        """
def precision_recall(p, t, threshold):
    alarm, wanted = p > 0.5, t == 1
    hits = np.sum(alarm & wanted)
    return hits / max(1, np.sum(alarm)), hits / max(1, np.sum(wanted))
""",
        "threshold was not used",
    ),
    Wrong(
        "precision_recall",
        "an alarm at the threshold",
        """
def precision_recall(p, t, threshold):
    alarm, wanted = p >= threshold, t == 1
    hits = np.sum(alarm & wanted)
    return hits / max(1, np.sum(alarm)), hits / max(1, np.sum(wanted))
""",
        "equal to the threshold",
    ),
    Wrong(
        "precision_recall",
        "0 / 0 where there is no alarm",
        """
def precision_recall(p, t, threshold):
    alarm, wanted = p > threshold, t == 1
    hits = np.sum(alarm & wanted)
    return hits / np.sum(alarm), hits / np.sum(wanted)
""",
        "no alarm at all: a share of nothing was computed by 0 / 0",
    ),
    Wrong(
        "huber",
        "the cases are exchanged",
        """
def huber(predictions, targets, delta=1.0):
    d = predictions - targets
    large = np.abs(d) > delta
    costs = np.where(large, d**2 / 2, delta * (np.abs(d) - delta / 2))
    return np.mean(costs), np.where(large, d, delta * np.sign(d)) / len(d)
""",
        "the two cases are exchanged",
    ),
    Wrong(
        "huber",
        "the errors overwrite the predictions",
        """
def huber(predictions, targets, delta=1.0):
    predictions -= targets
    pull = np.clip(predictions, -delta, delta)
    return np.mean(pull * predictions - pull**2 / 2), pull / len(pull)
""",
        "predictions were changed",
    ),
    Wrong(
        "log_softmax",
        "the smallest logit is subtracted",
        """
def log_softmax(z):
    z = z - z.min(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))
""",
        "and no smaller one",
    ),
    Wrong(
        "cross_entropy",
        "minus the probability",
        """
def cross_entropy(z, labels):
    return -np.mean(np.exp(log_softmax(z))[np.arange(len(labels)), labels])
""",
        "minus p was charged",
    ),
    Wrong(
        "cross_entropy",
        "a softmax of its own that overflows",
        """
def cross_entropy(z, labels):
    powers = np.exp(z)
    return np.mean(np.log(powers.sum(axis=1)) - z[np.arange(len(labels)), labels])
""",
        "overflow.*your log_softmax has no such trouble",
    ),
    Wrong(
        "soft_targets",
        "whole numbers",
        """
def soft_targets(labels, num_classes, share):
    t = np.zeros((len(labels), num_classes), dtype=int)
    t[np.arange(len(labels)), labels] = 1
    t[...] = (1 - share) * t + share / num_classes
    return t
""",
        "whole numbers cut off",
    ),
    Wrong(
        "soft_targets",
        "all labels in every row",
        """
def soft_targets(labels, num_classes, share):
    t = np.full((len(labels), num_classes), share / num_classes)
    t[:, labels] = 1 - share + share / num_classes
    return t
""",
        "all labels were set in every row",
    ),
    Wrong(
        "cross_entropy_gradient",
        "a softmax of its own that overflows",
        """
def cross_entropy_gradient(z, targets):
    powers = np.exp(z)
    return (powers / powers.sum(axis=1, keepdims=True) - targets) / len(z)
""",
        "overflow.*your log_softmax has no such trouble",
    ),
    Wrong(
        "precision_recall",
        "every right answer is a hit",
        """
def precision_recall(p, t, threshold):
    alarms = p > threshold
    hits = np.sum(alarms == t)
    return hits / max(np.sum(alarms), 1), hits / max(np.sum(t), 1)
""",
        "all right answers were counted as hits",
    ),
]

ALSO_RIGHT = [
    Right(
        "huber",
        "the formula by its inner part, as in the chapter",
        """
def huber(predictions, targets, delta=1.0):
    d = np.asarray(predictions) - targets
    inner = np.clip(d, -delta, delta)
    return float(np.sum(inner * (d - inner / 2)) / d.size), list(inner / d.size)
""",
    ),
    Right(
        "huber",
        "a loop",
        """
def huber(predictions, targets, delta=1.0):
    loss, gradient, n = 0.0, [], len(targets)
    for y_hat, t in zip(predictions, targets):
        d = y_hat - t
        if abs(d) < delta:
            loss, slope = loss + d * d / 2, d
        else:
            loss, slope = loss + delta * (abs(d) - delta / 2), delta * (1 if d > 0 else -1)
        gradient.append(slope / n)
    return [loss / n, gradient]
""",
    ),
    Right(
        "log_softmax",
        "NumPy's logaddexp",
        """
def log_softmax(z):
    return z - np.logaddexp.reduce(z, axis=1, keepdims=True)
""",
    ),
    Right(
        "log_softmax",
        "row by row, a list",
        """
import math


def log_softmax(z):
    rows = []
    for row in z:
        m = max(row)
        total = m + math.log(sum(math.exp(one - m) for one in row))
        rows.append([one - total for one in row])
    return rows
""",
    ),
    Right(
        "cross_entropy",
        "one-hot targets",
        """
def cross_entropy(z, labels):
    one_hot = np.arange(z.shape[1]) == labels[:, None]
    return float(-(one_hot * log_softmax(z)).sum(axis=1).mean())
""",
    ),
    Right(
        "cross_entropy",
        "a loop, without the earlier task",
        """
def cross_entropy(z, labels):
    costs = [np.logaddexp.reduce(row) - row[label] for row, label in zip(z, labels)]
    return sum(costs) / len(costs)
""",
    ),
    Right(
        "soft_targets",
        "filled first, raised after",
        """
def soft_targets(labels, num_classes, share):
    targets = np.full((len(labels), num_classes), share / num_classes)
    for row, label in enumerate(labels):
        targets[row, label] += 1 - share
    return targets
""",
    ),
    Right(
        "soft_targets",
        "lists",
        """
def soft_targets(labels, num_classes, share):
    rest = share / num_classes
    return [[1 - share + rest if k == label else rest for k in range(num_classes)] for label in labels]
""",
    ),
    Right(
        "cross_entropy_gradient",
        "without the earlier task",
        """
def cross_entropy_gradient(z, targets):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    return p / len(p) - targets / len(p)
""",
    ),
    Right(
        "cross_entropy_gradient",
        "row by row, a list",
        """
def cross_entropy_gradient(z, targets):
    return [(np.exp(logs) - t) / len(targets) for logs, t in zip(log_softmax(z), targets)]
""",
    ),
    Right(
        "precision_recall",
        "counted in a loop",
        """
def precision_recall(p, t, threshold):
    hits = alarms = wanted = 0
    for chance, truth in zip(p, t):
        alarms += chance > threshold
        wanted += truth
        hits += truth and chance > threshold
    return (hits / alarms if alarms else 0.0), (hits / wanted if wanted else 0.0)
""",
    ),
    Right(
        "precision_recall",
        "by hits, false alarms and misses",
        """
def precision_recall(p, t, threshold):
    alarm = np.array(p) > threshold
    hits, false, missed = np.sum(alarm * t), np.sum(alarm * (1 - t)), np.sum(~alarm * t)
    shares = [hits / (hits + other) if hits else 0.0 for other in (false, missed)]
    return np.array(shares)
""",
    ),
]
