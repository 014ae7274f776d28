//! The rules of cutting, by example, by chance and by size. What they check against is read from the text here anew.

mod hostile;
mod literal;
mod property;
mod reading;
mod rendered;
mod shortened;
