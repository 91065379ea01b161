//! Charts as SVG, drawn on the server: numbers go in, rectangles come out, the browser needs no script to show them.

mod columns;
mod layout;

pub use columns::{Column, StackedColumns};
pub use layout::{Bar, ColumnBox, arrange};
