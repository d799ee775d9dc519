//! Tests of the whole: one binary, because on small machines links are what cost time.

mod sim;
