//! The vendors' prices, written from their own pages and from nothing of ours,
//! so that a wrong price in a client shows as a difference to the invoice.

mod fal;
mod gemini;

pub(crate) use fal::{
    Charge, LIST, fashn_tryon, kling_v3, kolors_tryon, nano_banana, nano_banana_2, nano_banana_2_1, nano_banana_pro,
    pika_image_to_video, pikaframes, stable_video, veo, wan_flf2v,
};
pub(crate) use gemini::{TokenPrice, Tokens};
