//! Money.

use domain::cost::CostReport;
use leptos::prelude::*;

use crate::{AppError, wire::LeanJson};

/// The cost page.
#[server(prefix = "/api/admin", endpoint = "costs/report", output = LeanJson)]
pub async fn load_costs() -> Result<CostReport, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.costs().await?)
}
