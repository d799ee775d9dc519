//! The durable Raft log of all groups of this node, and the identity of the node.
