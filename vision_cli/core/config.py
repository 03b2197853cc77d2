"""The project file as frozen types. Every section is optional and has defaults that work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from vision_cli.core import kpi as kpi_grammar
from vision_cli.core.errors import UsageError
from vision_cli.core.input_config import InputConfig as InputConfig
from vision_cli.core.input_config import TilesConfig as TilesConfig
from vision_cli.core.metadata_config import MetadataConfig
from vision_cli.core.search_config import SearchConfig
from vision_cli.core.section import Fraction, Positive, Section
from vision_cli.core.synth_config import SynthConfig
from vision_cli.core.tasks import Task

ClassName = Annotated[str, Field(min_length=1, json_schema_extra={"type": ["string", "number", "boolean"]})]


class SourceConfig(Section):
    """One data set."""

    path: str
    """Folder or file, relative to the project file."""
    format: str | None = None
    """Name of the format; found by itself when absent."""
    images: str | None = None
    """Folder that the photo paths of a CSV are relative to, itself relative to the project file; the CSV's own folder
    when absent."""
    columns: dict[str, str] = {}
    """What the columns of a CSV mean, where their names do not say: {path: file, label: cell_type, xmin: x0}."""
    metadata: list[MetadataConfig] = []
    """Files with facts about the photos, such as when and where they were taken; a path alone will do."""
    exif: bool = False
    """Take `captured_at`, `camera`, `latitude` and `longitude` from the photos, where nothing else says them."""
    links: Literal["stay", "follow"] = "stay"
    """Where links in the folder may lead: `stay` below it, or `follow` anywhere; for folders whose links you made."""
    version: str | None = None
    """A committed version of the source, by tag or id; the files as they are when absent."""

    @field_validator("metadata", mode="before")
    @classmethod
    def _files(cls, value: Any) -> Any:
        items = value if isinstance(value, list) else [value]
        return [{"path": item} if isinstance(item, str) else item for item in items if item is not None]


class SplitConfig(Section):
    """Shares of the split. Photos that come with a split of their own keep it."""

    train: Fraction = 0.7
    """Share of photos to learn from."""
    val: Fraction = 0.15
    """Share of photos that choose epochs and thresholds."""
    test: Fraction = 0.15
    """Share of photos that nothing but `vision eval` sees."""
    group: str | None = None
    """Column whose equal values never stand on both sides."""
    seed: int = 7
    """Another seed is another split."""

    @model_validator(mode="after")
    def _sum(self) -> SplitConfig:
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError(f"train, val and test must add up to 1, got {self.train + self.val + self.test:g}")
        return self


class ViewConfig(Section):
    """A selection over sources that commands take by name."""

    sources: list[str] = Field(alias="from", min_length=1)
    """Sources by name; their class names meet in one class map."""
    where: str | None = Field(None, min_length=1)
    """Keep the photos for which this holds: SQL over the columns of `images`, with `count`, `has`, `none`, `min_of`,
    `max_of` and `sum_of` over their annotations."""
    map: dict[str, str | None] = {}
    """Rename, merge (two names to one) or drop (null) classes; `"*"` is every class that neither this nor `classes`
    names."""
    classes: list[ClassName] = []
    """Class names of this view in order; those of the project when absent."""
    split: SplitConfig | None = None
    """How photos without a split are shared out in this view; `data.split` when absent."""

    model_config = ConfigDict(populate_by_name=True)

    @field_validator("sources", "classes")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        repeated = sorted({name for name in value if value.count(name) > 1})
        if repeated:
            raise ValueError(f"each once; repeated: {', '.join(repeated)}")
        return value


class DataConfig(Section):
    """Where photos and labels come from."""

    sources: dict[str, SourceConfig] = {}
    """Data sets by name."""
    views: dict[str, ViewConfig] = {}
    """Selections by name; without any, `all` is every source."""
    gold: str | None = None
    """View or source whose labels are right: `vision data gold score` measures deliveries against it."""
    split: SplitConfig = SplitConfig()
    """How photos without a split are shared out."""


class FeaturesConfig(Section):
    """The shallow classifier of the family `features`."""

    classifier: Literal["svm", "logistic", "knn"] = "svm"
    """What learns on the embeddings; its confidence is calibrated."""
    select: Annotated[int, Field(ge=1)] | None = None
    """Keep this many of the embedding's dimensions (SelectKBest, ANOVA F)."""
    pca: Annotated[int, Field(ge=1)] | None = None
    """Project onto this many principal components."""
    C: Positive | None = None
    """Inverse regularisation; by default 1 of `svm` and 25 of `logistic`, and 20 of the ridge regression that stands
    for it where the task is `regress`, whose alpha is 1 / C. Not of `knn`."""
    neighbours: Annotated[int, Field(ge=1)] = 5
    """k of the k-nearest-neighbour classifier."""
    columns: list[str] = []
    """Columns of `images` that stand beside the embedding: numbers, or texts of at most 100 values. Not with `knn`, nor
    with `svm` where the task is `classify`."""


class ModelConfig(Section):
    """Which network, from which weights."""

    family: str = "auto"
    """A line of `vision models list`; `auto` is the task's own: timm, ssdlite, maskrcnn, unet or panopticfpn."""
    backbone: str = "auto"
    """The family's own name of the network; `auto` is tf_efficientnet_lite0 wherever the family takes it."""
    weights: str = "imagenet"
    """`imagenet`, `coco` (families that find places), `none`, or the path of a .safetensors or .pth file of tensors."""
    input: InputConfig = InputConfig()
    """Size and channels."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Before the last layer."""
    features: FeaturesConfig = FeaturesConfig()
    """Only for the family `features`."""
    upsample: Literal["bilinear", "learned"] = "bilinear"
    """Only for the family `fcn`: how scores of coarse maps grow; `learned` begins as bilinear (Long et al. 2015)."""


class TrainConfig(Section):
    """How it learns. `auto` follows the data: a frozen backbone for a small set on a CPU."""

    view: str = "all"
    """The view to learn from."""
    freeze: str = "auto"
    """`auto`, `backbone`, `none`, or `N stages` from the input on. Up to 5,000 photos `auto` freezes the backbone where
    there is no accelerator, or the first two fifths of its stages where the task is about places."""
    head_first: bool = True
    """Where the backbone learns, too: fit the head on its frozen embeddings first, so that a random head's gradients do
    not spoil it (Kumar et al. 2022, linear probing then fine-tuning). Not with `unfreeze_every` or random weights."""
    norms: Literal["auto", "keep", "learn"] = "auto"
    """Statistics of batch norms where the backbone learns: `keep` those of its weights, or `learn` new ones; `auto`
    keeps them up to 5,000 photos. Random weights always learn."""
    unfreeze_every: Annotated[int, Field(ge=1)] | None = None
    """Gradual unfreezing: one more stage, from the head down, every so many epochs."""
    epochs: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Passes over the data; by default 100 over the embeddings of a frozen backbone, 40 where the task is about places,
    else 30."""
    batch_size: Annotated[int, Field(ge=1)] = 32
    """Photos a step, of all processes together, 4 by default where the task is about places; halved, and said so, when
    memory runs out."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Batches whose gradients are added before a step."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW, or SGD with Nesterov momentum 0.9."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    """By default 0.001 on a frozen backbone. Where the backbone learns, too, of its last stage: 0.0005; of the head a
    twentieth if it was fitted first, else a little more. Where the task is about places 0.001 of the head."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 0.75
    """Discriminative learning rates: each stage below the head learns this much slower than the one above."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = None
    """Not on biases and norms; by default 0.05. A linear head on a frozen backbone takes it as L2 penalty, 0.3."""
    schedule: Literal["cosine", "one-cycle", "plateau", "constant"] = "cosine"
    """`plateau` reduces on a plateau of the validation loss."""
    warmup_epochs: Annotated[int, Field(ge=0)] = 1
    """Linear warm-up of `cosine`, `plateau` and `constant`."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of a label given to all classes, not for regression; by default 0.1 where neither backbone is frozen nor
    head fitted first, else 0."""
    interpolate: bool = True
    """Where the backbone learns below a head that was fitted first: keep the weights between start and end with the
    lowest validation loss (Wortsman et al. 2022, WiSE-FT)."""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` weighs each class by the inverse of its count."""
    mixup: Annotated[float, Field(ge=0, le=10)] = 0.0
    """Alpha of mixup's Beta distribution; 0 is off."""
    ema: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Decay of the moving average of the weights that is kept instead of them; 0 is off. By default 0.97 where the
    backbone learns, 0.998 where the task is about places, else 0."""
    augment: Literal["none", "light", "medium", "strong"] = "medium"
    """A preset of `vision augment show`. With a frozen backbone every preset but `none` means a mirrored view of each
    photo beside the photo itself."""
    mosaic: Fraction = 0.0
    """Share of the photos that are put together from parts of four; only for detect, instance, semantic, panoptic."""
    copy_paste: Fraction = 0.0
    """Share of the photos that objects of another one are pasted on; only for instance and panoptic."""
    multi_scale: bool = False
    """Each batch at another size, 0.75 to 1.25 of the network's; only where the task is about places."""
    sampling: Literal["natural", "balanced"] = "natural"
    """`balanced` shows photos of rare classes more often; only where the task is about places."""
    clip_gradient: Annotated[float, Field(ge=0)] = 1.0
    """Largest norm of the gradient; 0 is off."""
    patience: Annotated[int, Field(ge=0)] = 10
    """Early stopping after so many epochs without a better one, by the validation loss, or by AP50, mean IoU or PQ
    where the task is about places; 0 is off."""
    precision: Literal["32", "bf16", "16"] = "32"
    """`16` and `bf16` are mixed precision."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where it runs."""
    devices: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    """Processes that learn together on each machine, one a GPU, each from its part of every batch: the batch stays
    `batch_size`. `auto` is every GPU, or one process where there is none. With more of them on a CPU they share its
    cores."""
    nodes: Annotated[int, Field(ge=1, le=1024)] = 1
    """Machines; on each of them `torchrun` starts the processes."""
    workers: Annotated[int, Field(ge=0, le=256)] | None = None
    """Processes that decode photos; by default one a core, at most 8; 0 decodes in the main process."""
    seed: int = 1
    """Of weights, order and augmentation."""

    @field_validator("devices", mode="before")
    @classmethod
    def _devices(cls, value: Any) -> Any:
        if value != "auto" and not str(value).isdecimal():
            raise ValueError(f"must be auto or a number, got {value!r}")
        return value if value == "auto" else int(value)

    @field_validator("freeze")
    @classmethod
    def _freeze(cls, value: str) -> str:
        words = value.split()
        stages = words and words[0].isdecimal() and words[1:] in ([], ["stage"], ["stages"])
        if value not in ("auto", "backbone", "none") and not stages:
            raise ValueError(f"must be auto, backbone, none or 'N stages', got {value!r}")
        return f"{words[0]} stages" if stages else value


class KpiConfig(Section):
    """A KPI with a demanded confidence."""

    kpi: str
    """`metric[class] op value [@ runtime]`."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = None
    """The interval itself must pass."""

    @field_validator("kpi")
    @classmethod
    def _parses(cls, value: str) -> str:
        try:
            kpi_grammar.parse(value)
        except UsageError as error:
            raise ValueError(f"{error.message} {error.hint}") from error
        return value


class EvalConfig(Section):
    """What `vision eval` measures on."""

    split: Literal["train", "val", "test", "all"] = "test"
    """The split that is judged."""
    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Bootstrap resamples of an interval."""


class ExportConfig(Section):
    """What leaves the house."""

    formats: list[Literal["onnx", "tflite"]] = ["onnx", "tflite"]
    """Files to write."""
    precision: Literal["float32", "float16"] = "float32"
    """Type of the weights in the file."""
    tolerance: Positive = 1e-3
    """Largest difference of any score (0..1, or the value's own unit) from the torch model's; 0.02 at float16."""
    agreement: Fraction = 0.995
    """Share of photos (for places: of boxes, 0.99 by default, or of pixels) that the file must decide as torch does."""


class ProjectConfig(Section):
    """A `vision.yaml`."""

    version: Literal[1] = 1
    """Of the file's own format."""
    name: str = Field("vision-project", min_length=1)
    """Names runs and exported files."""
    task: Task | None = None
    """`classify`: one class a photo; `multilabel`: several; `regress`: a value; `detect`: boxes; `instance`: a mask of
    each object; `semantic`: a class of each pixel; `panoptic`: both; by default what the labels say."""
    classes: list[ClassName] = []
    """Class names in order; by default those of the data, sorted."""
    data: DataConfig = DataConfig()
    """Sources, views, split."""
    model: ModelConfig = ModelConfig()
    """Network."""
    train: TrainConfig = TrainConfig()
    """Learning."""
    tune: SearchConfig = SearchConfig()
    """Searching settings of `model` and `train`."""
    eval: EvalConfig = EvalConfig()
    """Measuring."""
    kpis: list[KpiConfig] = []
    """Targets, as text or with a confidence."""
    export: ExportConfig = ExportConfig()
    """Exported files."""
    synth: SynthConfig = SynthConfig()
    """Synthetic photos."""

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, value: Any) -> Any:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value

    @field_validator("version", mode="before")
    @classmethod
    def _version(cls, value: Any) -> Any:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @field_validator("kpis", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        if isinstance(value, list):
            return [{"kpi": item} if isinstance(item, str) else item for item in value]
        return value

    @field_validator("classes")
    @classmethod
    def _distinct(cls, value: list[str]) -> list[str]:
        repeated = sorted({name for name in value if value.count(name) > 1})
        if repeated:
            raise ValueError(f"each class once; repeated: {', '.join(repeated)}")
        return value

    @model_validator(mode="after")
    def _references(self) -> ProjectConfig:
        for name, view in self.data.views.items():
            for source in view.sources:
                if source not in self.data.sources:
                    raise ValueError(f"data.views.{name}: no source is called '{source}'")
        return self

    def targets(self) -> list[kpi_grammar.Kpi]:
        """Return the parsed KPIs."""
        return [kpi_grammar.parse(item.kpi, confidence=item.confidence) for item in self.kpis]
