//! Money.

use domain::cost::CostReport;
use leptos::prelude::*;

use crate::AppError;

/// The cost page.
#[server(prefix = "/api/admin", endpoint = "costs/report")]
pub async fn load_costs() -> Result<CostReport, AppError> {
    crate::auth::require_person().await?;
    Ok(crate::auth::engine()?.costs().await?)
}
