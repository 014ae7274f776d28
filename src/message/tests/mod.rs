//! Unit tests of the rules for whole bodies, without those of cards.

mod app;
mod chat;
mod webhook;
