//! The first cell of a row about a product.

use domain::{LocalText, product::Picture};
use leptos::prelude::*;

use super::photo::Thumb;
use crate::{shell::use_locale, words::local};

/// Photo, name and one more line, as one link.
#[component]
pub fn ProductCell(
    /// Where the row leads.
    href: String,
    /// The product's photo.
    photo: Option<Picture>,
    /// The product's name.
    name: LocalText,
    /// The second line.
    sub: String,
) -> impl IntoView {
    let name = local(&name, use_locale()).to_owned();
    view! {
        <td class="cell-lead">
            <a class="cell-product" href=href>
                <Thumb picture=photo/>
                <span class="cell-text">
                    <span class="cell-name">{name}</span>
                    <span class="cell-sub">{sub}</span>
                </span>
            </a>
        </td>
    }
}
