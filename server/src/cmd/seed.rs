//! What a first start adds: an account to sign in with, and the demo catalogue.

use std::path::Path;

use anyhow::Context as _;
use domain::{LocalText, user::Email};
use engine::{Engine, NewPhoto, NewProduct};
use secrecy::{ExposeSecret as _, SecretString};

use super::up::kept_secret;
use crate::demo::{self, DemoProduct, View};

/// Address of the account a first start makes.
const ADMIN_EMAIL: &str = "admin@lookreel.example";

/// The account of a first start.
pub struct Admin {
    pub email: String,
    /// None when somebody has chosen another.
    pub password: Option<SecretString>,
}

/// Makes the first account, once; its password is kept in the state folder and told for as long as it opens.
pub async fn admin(engine: &Engine, state_dir: &Path) -> anyhow::Result<Admin> {
    let email = Email::parse(ADMIN_EMAIL)?;
    let path = state_dir.join("admin-password");
    let known = engine.has_user(&email).await?;
    if known && !path.exists() {
        return Ok(Admin { email: email.as_str().to_owned(), password: None });
    }
    let password = kept_secret(&path)?;
    if !known {
        engine.create_user(&email, "Admin", password.expose_secret()).await?;
    }
    let opens = !known || engine.has_password(&email, password.expose_secret()).await?;
    Ok(Admin { email: email.as_str().to_owned(), password: opens.then_some(password) })
}

/// Adds the demo catalogue to an empty shop.
pub async fn catalogue(engine: &Engine) -> anyhow::Result<()> {
    if engine.product_count().await? > 0 {
        return Ok(());
    }
    let products = demo::products()?;
    tracing::info!("adding the demo catalogue: {} products", products.len());
    // The list shows the newest first: the catalogue's first product is added last.
    for product in products.into_iter().rev() {
        let slug = product.slug.clone();
        let new = tokio::task::spawn_blocking(move || draw(&product)).await??;
        match engine.add_product(&new).await {
            // Another process seeds at the same time.
            Ok(_) | Err(engine::Error::Conflict(_)) => {}
            Err(error) => return Err(error).with_context(|| format!("the demo product {slug} could not be added")),
        }
    }
    Ok(())
}

fn draw(product: &DemoProduct) -> anyhow::Result<NewProduct> {
    let photos = [View::Whole, View::Detail]
        .into_iter()
        .map(|view| Ok(NewPhoto { bytes: demo::photo(product, view)?.bytes.into() }))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(NewProduct {
        slug: product.slug.clone(),
        sku: product.sku.clone(),
        name: LocalText { ko: product.name_ko.clone(), en: product.name_en.clone() },
        description: LocalText { ko: product.description_ko.clone(), en: product.description_en.clone() },
        category: product.category.word().to_owned(),
        price_krw: product.price_krw,
        photos,
    })
}
