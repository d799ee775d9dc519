//! The system group: nodes, databases, placement.
