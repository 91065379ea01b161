use super::shape::Kind;

/// Which end of the move a still shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum PoseName {
    Start,
    End,
}

/// Who wears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Person {
    Female,
    Male,
}

/// What a prompt says about the picture, English and Korean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wishes {
    pub pose: PoseName,
    pub person: Person,
    pub kind: Option<Kind>,
}

const END: [&str; 12] = [
    "pose b",
    "pose: b",
    "pose-b",
    "end frame",
    "end pose",
    "end still",
    "last frame",
    "final frame",
    "second pose",
    "closing pose",
    "포즈 b",
    "끝 장면",
];
const START: [&str; 11] = [
    "pose a",
    "pose: a",
    "pose-a",
    "start frame",
    "start pose",
    "start still",
    "first frame",
    "opening pose",
    "first pose",
    "포즈 a",
    "시작 장면",
];
const KINDS: [(Kind, &[&str]); 5] = [
    (Kind::Bag, &["bag", "tote", "handbag", "backpack", "clutch", "가방", "토트백", "숄더백"]),
    (
        Kind::Trousers,
        &["trousers", "pants", "jeans", "slacks", "leggings", "shorts", "바지", "팬츠", "슬랙스", "청바지"],
    ),
    (Kind::Skirt, &["skirt", "스커트", "치마"]),
    (Kind::Straps, &["slip dress", "camisole", "슬립 드레스", "슬립 원피스"]),
    (
        Kind::Upper,
        &[
            "shirt",
            "tee",
            "t-shirt",
            "blouse",
            "knit",
            "sweater",
            "cardigan",
            "hoodie",
            "jacket",
            "coat",
            "trench",
            "vest",
            "dress",
            "셔츠",
            "티셔츠",
            "블라우스",
            "니트",
            "스웨터",
            "카디건",
            "가디건",
            "후디",
            "재킷",
            "자켓",
            "코트",
            "조끼",
            "베스트",
            "원피스",
            "드레스",
        ],
    ),
];

impl Wishes {
    /// Reads a prompt. Without a word about it: the start, a woman, no kind.
    pub(crate) fn read(prompt: &str) -> Self {
        let text = prompt.to_lowercase();
        Self { pose: read_pose(&text), person: read_person(&text), kind: read_kind(&text) }
    }
}

/// The first pose word decides; plain "end" and "start" count when no
/// fuller word is there.
fn read_pose(text: &str) -> PoseName {
    let first = |words: &[&str]| words.iter().filter_map(|word| text.find(word)).min();
    let choose = |end: Option<usize>, start: Option<usize>| match (end, start) {
        (Some(end), Some(start)) if end < start => Some(PoseName::End),
        (Some(_), None) => Some(PoseName::End),
        (_, Some(_)) => Some(PoseName::Start),
        (None, None) => None,
    };
    choose(first(&END), first(&START))
        .or_else(|| choose(find_word(text, "end"), find_word(text, "start")))
        .unwrap_or(PoseName::Start)
}

fn read_person(text: &str) -> Person {
    let male = ["male", "man", "men", "boy", "gentleman"];
    let female = ["female", "woman", "women", "girl", "lady"];
    let first = |words: &[&str]| words.iter().filter_map(|word| find_word(text, word)).min();
    let korean = |word: &str| text.find(word);
    let his = first(&male).into_iter().chain(korean("남성")).chain(korean("남자")).min();
    let hers = first(&female).into_iter().chain(korean("여성")).chain(korean("여자")).min();
    match (his, hers) {
        (Some(his), Some(hers)) if his < hers => Person::Male,
        (Some(_), None) => Person::Male,
        _ => Person::Female,
    }
}

/// The one kind that is named; several or none say nothing.
fn read_kind(text: &str) -> Option<Kind> {
    let mut named = KINDS.iter().filter(|(_, words)| {
        words.iter().any(|word| if word.is_ascii() { find_word(text, word).is_some() } else { text.contains(word) })
    });
    let first = named.next().map(|(kind, _)| *kind)?;
    // "Slip dress" is also a dress: the narrower word wins.
    match named.next() {
        None => Some(first),
        Some((Kind::Upper, _)) if first == Kind::Straps => Some(first),
        Some(_) => None,
    }
}

/// Where a whole word stands.
fn find_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(place, _)| place).find(|place| {
        let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric());
        let before = text.get(..*place).and_then(|head| head.chars().next_back());
        let after = text.get(place + word.len()..).and_then(|tail| tail.chars().next());
        !is_letter(before) && !is_letter(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_chooses_pose_and_person() {
        let end = Wishes::read("A male model wears the shirt. Pose B: hand on the hip.");
        assert_eq!((end.pose, end.person), (PoseName::End, Person::Male));
        assert_eq!(end.kind, Some(Kind::Upper));
        let start = Wishes::read("Start frame. 여성 모델이 스커트를 입은 모습");
        assert_eq!((start.pose, start.person), (PoseName::Start, Person::Female));
        assert_eq!(start.kind, Some(Kind::Skirt));
    }

    #[test]
    fn female_is_not_male_and_several_kinds_are_none() {
        let wishes = Wishes::read("female model with coat and bag, end frame");
        assert_eq!((wishes.person, wishes.kind), (Person::Female, None));
        assert_eq!(wishes.pose, PoseName::End);
        assert_eq!(Wishes::read("a satin slip dress").kind, Some(Kind::Straps));
    }
}
