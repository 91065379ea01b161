//! Which address of the desk shows which page. The shop's two addresses are in [`crate::pages::shop`].

use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Redirect, Route, Router, Routes},
    path,
};

use crate::{
    components::frame::Frame,
    pages::admin::{
        costs::CostsPage, generation::GenerationPage, generations::GenerationsPage, models::ModelsPage,
        not_found::NotFoundPage, product::ProductPage, products::ProductsPage, queue::QueuePage, sign_in::SignInPage,
    },
    shell::provide_facts,
};

/// The desk. Every page is sent whole: it is complete without scripts, and its status is known before its first byte.
#[component]
pub fn AdminApp() -> impl IntoView {
    provide_meta_context();
    provide_facts();
    Effect::new(|| {
        if let Some(html) = document().document_element() {
            // Journeys wait for it; a page without it works as well.
            let _ = html.set_attribute("data-hydrated", "");
        }
    });
    view! {
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/admin/sign-in") view=SignInPage ssr=SsrMode::Async/>
                <ParentRoute path=path!("/admin") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("") view=|| view! { <Redirect path="/admin/products"/> } ssr=SsrMode::Async/>
                    <Route path=path!("/products") view=ProductsPage ssr=SsrMode::Async/>
                    <Route path=path!("/products/:id") view=ProductPage ssr=SsrMode::Async/>
                    <Route path=path!("/generations") view=GenerationsPage ssr=SsrMode::Async/>
                    <Route path=path!("/generations/:id") view=GenerationPage ssr=SsrMode::Async/>
                    <Route path=path!("/queue") view=QueuePage ssr=SsrMode::Async/>
                    <Route path=path!("/models") view=ModelsPage ssr=SsrMode::Async/>
                    <Route path=path!("/costs") view=|| CostsPage().into_any() ssr=SsrMode::Async/>
                    <Route path=path!("/*any") view=NotFoundPage ssr=SsrMode::Async/>
                </ParentRoute>
            </Routes>
        </Router>
    }
    .into_any()
}
