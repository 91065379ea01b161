//! Rules the bucket itself follows. Files are removed by our own retention, which knows what is published; a rule of the
//! bucket by age could not.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule as Rule,
    LifecycleRuleFilter, Tag, Transition, TransitionStorageClass,
};

use crate::{Error, Key, Store};

/// The tag that posters carry, as S3 writes it in a request.
const POSTER_TAG: (&str, &str) = ("tier", "intelligent");
/// Parts of an upload that nobody finished are paid for until they are removed.
const ABORT_AFTER_DAYS: i32 = 1;

/// One rule of the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleRule {
    /// Parts of uploads that were begun and not finished are removed after a day.
    AbortUnfinishedUploads,
    /// Posters, which are kept longest and asked for least, go to S3 Intelligent-Tiering at once.
    PostersToIntelligentTiering,
}

impl LifecycleRule {
    /// The rule's name in the bucket.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AbortUnfinishedUploads => "lookreel-abort-unfinished-uploads",
            Self::PostersToIntelligentTiering => "lookreel-posters-to-intelligent-tiering",
        }
    }

    fn build(self) -> Result<Rule, Error> {
        let invalid = |error: aws_sdk_s3::error::BuildError| Error::Invalid(error.to_string());
        let rule = Rule::builder().id(self.id()).status(ExpirationStatus::Enabled);
        let rule = match self {
            Self::AbortUnfinishedUploads => {
                let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(ABORT_AFTER_DAYS).build();
                rule.filter(LifecycleRuleFilter::builder().prefix("").build()).abort_incomplete_multipart_upload(abort)
            }
            Self::PostersToIntelligentTiering => {
                let (name, value) = POSTER_TAG;
                let tag = Tag::builder().key(name).value(value).build().map_err(invalid)?;
                let class = TransitionStorageClass::IntelligentTiering;
                let transition = Transition::builder().days(0).storage_class(class).build();
                rule.filter(LifecycleRuleFilter::builder().tag(tag).build()).transitions(transition)
            }
        };
        rule.build().map_err(invalid)
    }
}

impl Store {
    /// The rules this bucket should follow.
    pub fn lifecycle_rules(&self) -> Vec<LifecycleRule> {
        let tiers = self.has_tags.then_some(LifecycleRule::PostersToIntelligentTiering);
        std::iter::once(LifecycleRule::AbortUnfinishedUploads).chain(tiers).collect()
    }

    /// Writes them. Rules of others in the same bucket are kept, ours are replaced.
    ///
    /// # Errors
    /// [`Error::Invalid`] by a store that knows no such rules, [`Error::Refused`] when the key pair may not,
    /// [`Error::Unavailable`].
    pub async fn write_lifecycle_rules(&self) -> Result<(), Error> {
        let request = self.client.get_bucket_lifecycle_configuration().bucket(&*self.bucket);
        let found = match request.send().await.map_err(|error| Error::from_sdk(&self.bucket, &error)) {
            Ok(found) => found.rules.unwrap_or_default(),
            // A bucket without any says that there is no configuration.
            Err(Error::NotFound(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let ours = |rule: &Rule| rule.id().is_some_and(|id| id.starts_with("lookreel-"));
        let mut rules: Vec<Rule> = found.into_iter().filter(|rule| !ours(rule)).collect();
        for rule in self.lifecycle_rules() {
            rules.push(rule.build()?);
        }
        let all = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build();
        let all = all.map_err(|error| Error::Invalid(error.to_string()))?;
        let request = self.client.put_bucket_lifecycle_configuration().bucket(&*self.bucket);
        let request = request.lifecycle_configuration(all);
        request.send().await.map_err(|error| Error::from_sdk(&self.bucket, &error))?;
        Ok(())
    }

    /// What an object is tagged with, as the header wants it.
    pub(crate) fn tags_of(&self, key: &Key) -> Option<String> {
        let (name, value) = POSTER_TAG;
        (self.has_tags && key.is_poster()).then(|| format!("{name}={value}"))
    }
}
