//! What lists show, as words in the address bar: read kindly, written shortly.

use domain::{
    Options,
    generation::{GenerationFilter, StateGroup},
    options::RawOptions,
    page::PageNumber,
    product::{ProductFilter, VideoStatus},
};
use leptos_router::params::ParamsMap;

/// Characters of a search that are used.
const SEARCH_CHARS: usize = 100;

/// The product table's part of the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductsQuery {
    /// Which products.
    pub filter: ProductFilter,
    /// Which page of them.
    pub page: PageNumber,
}

impl ProductsQuery {
    /// Reads the address bar; odd words are no filter.
    pub fn read(query: &ParamsMap) -> Self {
        Self {
            filter: ProductFilter {
                search: search(query),
                status: query.get_str("status").and_then(VideoStatus::parse),
            },
            page: PageNumber::parse_or_first(query.get_str("page")),
        }
    }

    /// The address of this list.
    pub fn href(&self) -> String {
        address(
            "/admin/products",
            &[
                ("q", &self.filter.search),
                ("status", self.filter.status.map_or("", VideoStatus::as_str)),
                ("page", &page_word(self.page)),
            ],
        )
    }

    /// The same list with another status, from its first page.
    pub fn with_status(&self, status: Option<VideoStatus>) -> Self {
        let filter = ProductFilter { status, ..self.filter.clone() };
        Self { filter, page: PageNumber::FIRST }
    }

    /// Another page of the same list.
    pub fn at_page(&self, number: u32) -> Self {
        Self { page: page_number(number), ..self.clone() }
    }

    /// Whether anything is filtered out.
    pub fn is_filtered(&self) -> bool {
        self.filter != ProductFilter::default()
    }
}

/// The history's part of the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationsQuery {
    /// Which generations.
    pub filter: GenerationFilter,
    /// Which page of them.
    pub page: PageNumber,
}

impl GenerationsQuery {
    /// Reads the address bar; odd words are no filter.
    pub fn read(query: &ParamsMap) -> Self {
        Self {
            filter: GenerationFilter {
                search: search(query),
                group: query.get_str("state").and_then(StateGroup::parse),
                mine: query.get_str("mine") == Some("1"),
            },
            page: PageNumber::parse_or_first(query.get_str("page")),
        }
    }

    /// The address of this list.
    pub fn href(&self) -> String {
        address(
            "/admin/generations",
            &[
                ("q", &self.filter.search),
                ("state", self.filter.group.map_or("", StateGroup::as_str)),
                ("mine", if self.filter.mine { "1" } else { "" }),
                ("page", &page_word(self.page)),
            ],
        )
    }

    /// The same list with other states, from its first page.
    pub fn with_group(&self, group: Option<StateGroup>) -> Self {
        let filter = GenerationFilter { group, ..self.filter.clone() };
        Self { filter, page: PageNumber::FIRST }
    }

    /// The same list, of everyone or of the person who asks, from its first page.
    pub fn with_mine(&self, mine: bool) -> Self {
        let filter = GenerationFilter { mine, ..self.filter.clone() };
        Self { filter, page: PageNumber::FIRST }
    }

    /// Another page of the same list.
    pub fn at_page(&self, number: u32) -> Self {
        Self { page: page_number(number), ..self.clone() }
    }

    /// Whether anything is filtered out.
    pub fn is_filtered(&self) -> bool {
        self.filter != GenerationFilter::default()
    }
}

/// The choices of a form that asked for its price with GET; anything odd is the default choice.
pub fn options(query: &ParamsMap) -> Options {
    let standard = Options::default();
    let word = |name: &str, fallback: &str| query.get(name).unwrap_or_else(|| fallback.to_owned());
    let number = |name: &str, fallback: u8| {
        query.get_str(name).and_then(|text| text.parse().ok()).unwrap_or(i64::from(fallback))
    };
    RawOptions {
        recipe: word("recipe", standard.recipe.as_str()),
        model_type: word("model_type", standard.model_type.as_str()),
        duration: number("duration", standard.duration.get()),
        resolution: word("resolution", standard.resolution.as_str()),
        fps: number("fps", standard.fps.get()),
        format: word("format", standard.format.as_str()),
        hls: query.get_str("hls") == Some("true"),
        branding: query.get_str("branding") == Some("true"),
    }
    .parse()
    .unwrap_or_default()
}

/// Where to go after signing in: a page of the desk on this server, else the products.
pub fn safe_next(next: &str) -> &str {
    const START: &str = "/admin/products";
    let is_desk = next == "/admin" || next.starts_with("/admin/") || next.starts_with("/admin?");
    let is_plain = next.chars().all(|character| !character.is_control() && character != '\\');
    let is_sign_in = next.starts_with("/admin/sign-in");
    // Dots and doubled slashes could lead out of the desk once they are resolved.
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let is_direct = !path.contains("//") && !path.split('/').any(|part| part == "." || part == "..");
    if is_desk && is_plain && is_direct && !is_sign_in && next.len() <= 500 { next } else { START }
}

/// The form of sign-in that leads back to a page of the desk: its path and what stands after the question mark.
pub fn sign_in_address(path: &str, search: &str) -> String {
    let search = search.trim_start_matches('?');
    let here = if search.is_empty() { path.to_owned() } else { format!("{path}?{search}") };
    address("/admin/sign-in", &[("next", &here)])
}

/// Begins what a refused form leaves in the address: its refusal, and what was typed into it.
const REFUSED: &str = "__";

/// What a refused form carries an input under: the form and the input as its page calls them.
pub fn typed_name(form: &str, input: &str) -> String {
    format!("{REFUSED}{form}-{input}")
}

/// The page a form was sent from, as an address on this server: what its `Referer` says without scheme, host and what a
/// refused form has left in it. None for anything that is no such address.
pub fn page_before(referer: &str) -> Option<String> {
    let rest = referer.split_once("://").map(|(_, rest)| rest)?;
    let rest = rest.split('#').next()?;
    let page = &rest[rest.find('/')?..];
    let (path, search) = page.split_once('?').unwrap_or((page, ""));
    let is_plain = page.chars().all(|character| character.is_ascii_graphic() && character != '\\');
    if !is_plain || path.starts_with("//") {
        return None;
    }
    let search: Vec<_> = search.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(REFUSED)).collect();
    Some(if search.is_empty() { path.to_owned() } else { format!("{path}?{}", search.join("&")) })
}

/// Where the address of a form says which page of the desk it belongs to.
const PAGE: &str = "page";

/// The address a form of a page is sent to: for browsers that do not tell where it was sent from.
pub fn form_address(endpoint: &str, page: &str) -> String {
    address(endpoint, &[(PAGE, page)])
}

/// The page of the desk a form belongs to, by the address it is sent to: what [`form_address`] put there when that is such a
/// page, else the list its endpoint is about. None for forms of other pages.
#[cfg(feature = "ssr")]
pub fn page_of_form(path: &str, search: &str) -> Option<String> {
    let named = url::form_urlencoded::parse(search.as_bytes()).find(|(name, _)| name == PAGE);
    if path.starts_with("/api/")
        && let Some((_, page)) = named
    {
        return Some(safe_next(&page).to_owned());
    }
    let about = path.strip_prefix("/api/admin/")?.split('/').next()?;
    let is_page = ["products", "generations", "queue", "costs", "models", "storage"].contains(&about);
    Some(if is_page { format!("/admin/{about}") } else { safe_next("").to_owned() })
}

fn search(query: &ParamsMap) -> String {
    let words = query.get_str("q").unwrap_or_default();
    words.trim().chars().filter(|letter| !letter.is_control()).take(SEARCH_CHARS).collect()
}

fn page_word(page: PageNumber) -> String {
    if page == PageNumber::FIRST { String::new() } else { page.get().to_string() }
}

fn page_number(number: u32) -> PageNumber {
    PageNumber::parse_or_first(Some(&number.to_string()))
}

/// A path with the parameters that say something.
pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut separator = '?';
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(separator);
        address.push_str(name);
        address.push('=');
        push_encoded(&mut address, value);
        separator = '&';
    }
    address
}

fn push_encoded(address: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
            address.push('%');
            address.push(char::from(DIGITS[usize::from(byte >> 4)]));
            address.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &str)]) -> ParamsMap {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn a_list_without_filters_has_a_bare_address() {
        let query = ProductsQuery::read(&ParamsMap::new());
        assert_eq!(query.href(), "/admin/products");
        assert!(!query.is_filtered());
    }

    #[test]
    fn the_address_survives_the_round_trip() {
        let query =
            GenerationsQuery::read(&map(&[("q", " 니트 & co "), ("state", "failed"), ("mine", "1"), ("page", "3")]));
        assert_eq!(query.href(), "/admin/generations?q=%EB%8B%88%ED%8A%B8%20%26%20co&state=failed&mine=1&page=3");
        assert_eq!(query.with_group(None).href(), "/admin/generations?q=%EB%8B%88%ED%8A%B8%20%26%20co&mine=1");
    }

    #[test]
    fn odd_words_are_no_filter() {
        let query = ProductsQuery::read(&map(&[("status", "gone"), ("page", "-2")]));
        assert_eq!(query, ProductsQuery::read(&ParamsMap::new()));
    }

    #[test]
    fn odd_choices_are_the_default_choice() {
        let chosen =
            options(&map(&[("duration", "5"), ("resolution", "1080p"), ("fps", "30"), ("model_type", "male")]));
        assert_eq!((chosen.duration.get(), chosen.fps.get()), (5, 30));
        assert_eq!(options(&map(&[("duration", "99")])), Options::default());
    }

    #[test]
    fn sign_in_leads_only_into_the_desk() {
        for next in ["/admin", "/admin/costs", "/admin/products?q=a%20b&page=2"] {
            assert_eq!(safe_next(next), next);
        }
        for next in [
            "",
            "/",
            "/products",
            "//evil.example/admin",
            "https://evil.example/admin",
            "/adminx",
            "/admin/../products",
            "/admin//evil.example",
            "/admin\\evil",
            "/admin/\r\nx: y",
            "/admin/sign-in?next=/admin",
        ] {
            assert_eq!(safe_next(next), "/admin/products", "{next:?}");
        }
    }

    #[test]
    fn signing_in_again_leads_back_to_the_same_page() {
        let address = sign_in_address("/admin/products", "?q=%EB%8B%88%ED%8A%B8&page=2");
        assert_eq!(address, "/admin/sign-in?next=%2Fadmin%2Fproducts%3Fq%3D%25EB%258B%2588%25ED%258A%25B8%26page%3D2");
        assert_eq!(sign_in_address("/admin/costs", ""), "/admin/sign-in?next=%2Fadmin%2Fcosts");
    }

    #[test]
    fn a_form_leads_back_to_where_it_was_sent_from_and_nowhere_else() {
        for (referer, page) in [
            ("http://127.0.0.1:3000/admin/costs", "/admin/costs"),
            ("https://shop.example/products?q=a%20b&page=2#x", "/products?q=a%20b&page=2"),
            ("https://shop.example/admin?__path=%2Fapi&__err=e30&q=a", "/admin?q=a"),
            ("https://shop.example/admin/models?model=a%2Fb&__err=e30&__price-reason=so", "/admin/models?model=a%2Fb"),
            ("https://shop.example/products?", "/products"),
        ] {
            assert_eq!(page_before(referer).as_deref(), Some(page));
        }
        for referer in
            ["", "/products", "https://shop.example", "https://shop.example//evil.example", "https://a/\r\nx"]
        {
            assert_eq!(page_before(referer), None, "{referer:?}");
        }
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_form_knows_its_page_and_no_page_of_others() {
        let address = form_address("/api/admin/videos/export", "/admin/videos/42?a=b&c");
        let (path, search) = address.split_once('?').unwrap_or_default();
        assert_eq!(page_of_form(path, search).as_deref(), Some("/admin/videos/42?a=b&c"));
        for (path, search, page) in [
            ("/api/admin/storage/retention", "", "/admin/storage"),
            ("/api/admin/models/price", "other=1", "/admin/models"),
            ("/api/admin/notices/read", "", "/admin/products"),
            ("/api/admin/videos/export", "page=https%3A%2F%2Fevil.example%2Fadmin", "/admin/products"),
            ("/api/admin/videos/export", "page=%2F%2Fevil.example", "/admin/products"),
            ("/api/preferences/theme", "page=%2Fadmin%2Fstorage", "/admin/storage"),
        ] {
            assert_eq!(page_of_form(path, search).as_deref(), Some(page), "{path}?{search}");
        }
        assert_eq!(page_of_form("/api/preferences/theme", ""), None);
        assert_eq!(page_of_form("/products", "page=%2Fadmin"), None);
    }
}
