//! The integration tests, one binary: what the program does as a whole, seen from outside.

mod architecture;
mod payloads;
