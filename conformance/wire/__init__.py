"""What goes over the wire, right or wrong: messages, answers, documents, HTTP."""
