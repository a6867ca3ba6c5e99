"""Models that write no text, known by their class: they load, or not, and never answer a chat."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mg_provider.data import table


@dataclass(frozen=True)
class OtherKind:
    """A kind of model that is not a language model.

    Attributes:
        pattern: Which classes are of it.
        what: What it is, as the end of a sentence.
    """

    pattern: re.Pattern[str]
    what: str


def _kind(pattern: str, what: str) -> OtherKind:
    return OtherKind(re.compile(pattern), what)


_ENCODERS = "Bert|Roberta|Electra|MPNet|Nomic|Albert|Deberta|Longformer|BigBird|Ernie(?!4)|Esm|Gte|New|XLM|JinaEmb|Bge"
_ADAPTER = _kind(r"AdapterModel|LoraModel|PeftModel", "an adapter, which needs its base model")
# Names like these are of models that write text, whatever else they resemble.
_WRITES = re.compile(r"(ForCausalLM|LMHeadModel|ChatModel|GLMModel)$")

_KINDS = (
    _kind(
        r"ForImageClassification|VisionModel|VisionTransformer|^(ViT|Siglip|CLIP|Dino|Swin|Beit|ConvNext)|ImageEncoder",
        "a vision tower, which sees images and writes nothing",
    ),
    _kind(r"Whisper|Wav2Vec|Hubert|ForCTC|SpeechSeq2Seq|AudioClassification", "a speech model"),
    _kind(r"UNet|Diffusion(?!Gemma)|Transformer2D|AutoencoderKL", "a model that makes images"),
    _kind(r"ForSequenceClassification|ForTokenClassification|RewardModel|ForReward", "a classifier or reward model"),
    _kind(rf"ForMaskedLM|EmbeddingModel|SentenceTransformer|BertModel$|^({_ENCODERS})", "an embedding model"),
    _kind(r"^(T5|MT5|UMT5|Bart|MBart|Marian|Pegasus|LongT5)|ForQuestionAnswering", "an encoder-decoder model"),
)
_HEADLESS = re.compile(r"(?P<family>\w+?)(Text)?Model")

_SENTENCE_FILES = ("modules.json", "config_sentence_transformers.json")


def other_model(architecture: str) -> str | None:
    """What a class is that is not a language model; None for one that may be."""
    if _ADAPTER.pattern.search(architecture):
        return _ADAPTER.what
    if _WRITES.search(architecture):
        return None
    headless = _HEADLESS.fullmatch(architecture)
    if headless and f"{headless['family']}ForCausalLM" in table("tensor_layouts")["architectures"]:
        return "a model without its head, as embedding models are saved"
    return next((kind.what for kind in _KINDS if kind.pattern.search(architecture)), None)


def is_embedding(names: set[str]) -> bool:
    """Whether files and folders beside the weights show that they were trained to embed."""
    return bool(names & {*_SENTENCE_FILES, "1_Pooling"})
