"""From a report's text to a judgement: corpus → train → evaluate → predict, with the rules apart from the model."""
