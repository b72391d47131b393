"""Write the prompt that sorts a shop's messages to prompt.txt, with {message} where one comes. This file evolves."""

from pathlib import Path

INSTRUCTION = True  # whether the prompt says what to do
DEFINITIONS = False  # whether it says what each label is for
EXAMPLES_A_LABEL = 1  # range: 0 to 6
NEWEST_FIRST = False  # whether examples are taken from the end of their list

TASK = "Sort the message of a customer into one of four labels."

MEANINGS = {
    "billing": "payments, prices and invoices",
    "delivery": "where a parcel is and when it arrives",
    "account": "signing in and personal data",
    "technical": "a product that does not work",
}

EXAMPLES = {
    "billing": [
        "I was charged twice for the same order",
        "Could you send me the invoice for March?",
        "My refund has not reached my bank yet",
        "Why is the price higher than in the shop?",
        "The discount code was not applied at the checkout",
        "Which credit cards do you take for a payment?",
    ],
    "delivery": [
        "Where is my parcel? It should have been here on Monday",
        "The courier left the package with a neighbour I do not know",
        "Can I change the address before it ships?",
        "Tracking has shown the same place for a week",
        "How long does shipping to Norway take?",
        "The box arrived empty",
    ],
    "account": [
        "I cannot log in with my new password",
        "Please delete my account and all my data",
        "How do I change the email that I registered with?",
        "I never got the code to confirm my phone number",
        "Somebody else seems to use my login",
        "My name is misspelt in my profile",
    ],
    "technical": [
        "The screen stays black after the update",
        "The battery is empty after an hour",
        "It does not connect to the wifi any more",
        "The app crashes whenever I open the camera",
        "One of the two speakers makes a strange noise",
        "How do I reset the device to its factory settings?",
    ],
}


def write() -> str:
    """Return the prompt."""
    lines = [TASK] if INSTRUCTION else []
    for label, meaning in MEANINGS.items():
        if DEFINITIONS:
            lines.append(f"{label}: {meaning}")
        known = EXAMPLES[label][::-1] if NEWEST_FIRST else EXAMPLES[label]
        lines += [f"{message} -> {label}" for message in known[:EXAMPLES_A_LABEL]]
    return "\n".join([*lines, "{message} ->"])


if __name__ == "__main__":
    Path("prompt.txt").write_text(write(), encoding="utf-8")
