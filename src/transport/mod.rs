//! Peers: frames, connections, requests between nodes, snapshot streams.
