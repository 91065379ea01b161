//! The desk, where people work all day.

pub mod costs;
pub mod generation;
pub mod generations;
pub mod models;
pub mod not_found;
pub mod product;
pub mod products;
pub mod queue;
pub mod sign_in;
