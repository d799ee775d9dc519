//! The state of one client connection: requests in, effects out; owns no socket.
