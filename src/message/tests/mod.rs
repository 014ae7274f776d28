//! The rules for whole bodies, but for those of cards.

mod app;
mod webhook;
