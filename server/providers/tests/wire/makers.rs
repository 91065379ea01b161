use domain::FailureCode;
use providers::{
    Catalogue, Certainty, GeminiSettings, Makers, ModelRef, NoMaker, NoPrice, Provider, ProviderError, Role,
    SharedCatalogue, people,
};
use serde_json::json;

use crate::{
    fal::{accepting, makers, png, request},
    stub::{Reply, nowhere},
};

fn fal(id: &str) -> ModelRef {
    ModelRef::new(Provider::Fal, id)
}

const PIKA: &str = "fal-ai/pika/v2.2/pikaframes";
const NANO: &str = "gemini-nano-banana-2.1";

#[tokio::test]
async fn every_model_has_a_maker_of_its_kind_and_no_other() {
    let url = nowhere().await;
    let gemini = GeminiSettings::simulator(&url);
    let settings = providers::FalSettings::simulator(&url).unwrap();
    let catalogue = SharedCatalogue::new(Catalogue::embedded().unwrap());
    let makers = Makers::new(Some(settings), Some(gemini), catalogue).unwrap();
    for row in makers.catalogue().rows() {
        let (still, clip) = (makers.still(&row.model()), makers.clip(&row.model()));
        if row.roles.iter().any(|role| role.makes_stills()) {
            assert_eq!(still.unwrap().model(), &row.model());
            assert!(matches!(clip.err(), Some(NoMaker::NoPrice(NoPrice::NotOffered(..)))));
        } else {
            assert_eq!(clip.unwrap().model(), &row.model());
            assert!(matches!(still.err(), Some(NoMaker::NoPrice(NoPrice::NotOffered(..)))));
        }
    }
    assert!(matches!(makers.clip(&fal("nobody/knows")).err(), Some(NoMaker::NoPrice(NoPrice::Unknown(_)))));
    assert!(makers.clip_files(Provider::Fal).is_ok() && makers.still_files(Provider::Fal).is_ok());
    assert!(makers.still_files(Provider::Gemini).is_err(), "its stills come with the answer");
}

#[tokio::test]
async fn a_provider_without_a_key_says_so() {
    let makers = makers(&nowhere().await);
    assert!(makers.has_key(Provider::Fal) && !makers.has_key(Provider::Gemini));
    let error = makers.still(&ModelRef::new(Provider::Gemini, NANO)).err().unwrap();
    assert_eq!(error, NoMaker::NotConfigured(Provider::Gemini));
    let error = ProviderError::from(error);
    assert_eq!((error.code, error.certainty), (FailureCode::ProviderKey, Certainty::NotSent));
}

#[tokio::test]
async fn what_is_put_into_the_catalogue_holds_for_makers_that_are_there() {
    let stub = accepting(Reply::json(200, &json!({"status": "IN_QUEUE", "request_id": "req-1"}))).await;
    let makers = makers(&stub.url);
    let maker = makers.clip(&fal(PIKA)).unwrap();
    maker.submit(&request()).await.unwrap();
    let sent = stub.seen().len();

    let mut rows = makers.catalogue().rows().to_vec();
    rows.iter_mut().filter(|row| row.id == PIKA).for_each(|row| row.retires_on = Some("2026-07-11".parse().unwrap()));
    makers.shared_catalogue().replace(Catalogue::from_rows(rows).unwrap());
    let error = maker.submit(&request()).await.unwrap_err();
    assert_eq!((error.code, error.certainty), (FailureCode::ModelGone, Certainty::NotSent));
    assert_eq!(stub.seen().len(), sent, "nothing was sent");
    assert!(makers.clip(&fal(PIKA)).unwrap().locate("req-1").is_ok(), "old requests are still looked at");
}

#[test]
fn models_are_written_with_their_provider() {
    let model = fal(PIKA);
    assert_eq!(ModelRef::parse(&model.to_string()), Some(model));
    for wrong in ["", "fal", "fal/", "other/x", PIKA] {
        assert_eq!(ModelRef::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn people_fit_every_try_on_model() {
    let catalogue = Catalogue::embedded().unwrap();
    for row in catalogue.rows().iter().filter(|row| row.makes(Role::TryOn)) {
        for model_type in domain::ModelType::ALL {
            let person = people::picture(model_type);
            assert!(person.bytes.len() <= row.limits.photo_max_bytes, "{}", row.id);
            assert!(row.limits.photo_types.contains(&person.content_type));
        }
    }
    assert_ne!(people::picture(domain::ModelType::Female), png(1));
}
