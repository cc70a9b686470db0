"""The model card of a shared run: what was trained, on what, how well it does, and what it must not be used for."""

from emodistill.config import ALOL, Config, Scripted
from emodistill.domains import domain_named
from emodistill.recipes import Recipe
from emodistill.report.names import source_label
from emodistill.share.contents import Adapter, Contents
from emodistill.share.names import label, licence_of
from emodistill.share.results import results
from emodistill.share.text import cell, front_matter, table

_RECIPES = {
    ("sft", "emotion"): "imitation (SFT) of the best turns of the sweep, each with the emotion it was told to show",
    ("jpo", "emotion"): "SFT, then Judge Policy Optimization (JPO) on per-turn judge advantages, with emotions",
    ("sft", "emotion-free"): "SFT on the same turns without any emotion instruction",
    ("jpo", "emotion-free"): "SFT and JPO without any emotion instruction: the control",
    ("jpo", "alol"): "SFT, then JPO from positive advantages only (κ = 0)",
}
_ROLES = ("teacher", "counterparty", "judge")
_RISKS = (
    "**Agents only, no humans.** Every dialogue is between programs. Nothing here was tried on people, or says how "
    "people react.",
    "**Emotion as leverage.** The policy learns which emotional language moves the other side. Emotion-tuned agents "
    "could extract value at scale from whoever yields to such language. Do not let it negotiate with people, least of "
    "all about debts, rescue, treatment or with minors; disclose it where another program meets it.",
    "**One judge, one counterparty.** Scores and results hold for the judge and the counterparty named above, and may "
    "not for others.",
    "**A small model.** It can be incoherent, name wrong figures, or repeat itself; what it says of a scenario is not "
    "to be relied on.",
)  # fmt: skip


def model_card(shared: Contents, adapter: Adapter, top: bool) -> str:
    """The card of one adapter; that at the `top` of the folder tells of all that lies beside it."""
    config = shared.config
    lines = [f"# {cell(config.name)}: {adapter.name}", "", *_what(shared, adapter)]
    if top:
        lines += ["", "## What is in this folder", "", *_inventory(shared)]
    lines += ["", "## How to load it", "", *_loading(shared, adapter, top)]
    lines += ["", "## Data", "", *_data(shared), "", "## Method", "", *_method(config)]
    lines += ["", "## Results", "", *results(shared)]
    lines += ["", "## Intended use", "", *_use(), "", "## Risks and limits", "", *(f"- {risk}" for risk in _RISKS)]
    lines += ["", "## Licence", "", _licence(shared.base)]
    return front_matter(_head(shared)) + "\n" + "\n".join(lines) + "\n"


def _head(shared: Contents) -> dict[str, object]:
    tags = ["lora", "negotiation", "emotion", "emodistill", "agents-only"]
    return {
        "base_model": shared.base,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "language": ["en"],
        "license": licence_of(shared.base),
        "tags": tags + (["simulated"] if simulated(shared.config) else []),
    }


def played_by(config: Config) -> str:
    """Who played the rollouts, or where they were imported from."""
    if config.sweep.imported is not None:
        return cell(source_label(config))
    counterparty = f"{label(config.models.counterparty)}, persona {config.sweep.persona}"
    return cell(f"teacher {label(config.models.teacher)}; counterparty {counterparty}")


def simulated(config: Config) -> list[str]:
    """The roles that the simulator played."""
    played = _ROLES if config.sweep.imported is None else _ROLES[1:]
    return [role for role in played if isinstance(getattr(config.models, role), Scripted)]


def simulation_note(config: Config) -> list[str]:
    """A warning wherever the simulator took part."""
    roles = simulated(config)
    if not roles:
        return []
    return [
        "",
        f"> **Simulated: {', '.join(roles)}.** The simulator speaks in templates and has planted effects of emotion. "
        "What is reported shows that the pipeline learns what there is to learn; it says nothing about how people or "
        "large models react to emotion.",
    ]


def _what(shared: Contents, adapter: Adapter) -> list[str]:
    recipe = _made(adapter)
    domains = ", ".join(map(cell, shared.config.scenarios.domains))
    return [
        f"A LoRA adapter (PEFT) for `{shared.base}`: {recipe}. It speaks for the focal side of a two-agent negotiation "
        f"over one number ({domains}), and shows the emotion it is told to. Made with EmoDistill.",
        *simulation_note(shared.config),
    ]


def _made(adapter: Adapter) -> str:
    """How an adapter was trained, in words."""
    recipe = Recipe.of(adapter.task)
    plain = recipe.prompts if not recipe.alol else ALOL
    signals = {"SFT": recipe.sft_signal, "JPO": recipe.jpo_signal if adapter.stage == "jpo" else None}
    own = [f"{stage} by the signal {signal}" for stage, signal in signals.items() if signal]
    own += [f"on dialogues of {recipe.domain} only"] if recipe.domain else []
    return "; ".join([_RECIPES[adapter.stage, plain], *own])


def _inventory(shared: Contents) -> list[str]:
    main, *others = shared.adapters
    rows: list[tuple[str, str]] = [("adapter_config.json, adapter_model.safetensors", f"the adapter {main.name}")]
    rows += [(f"adapters/{one.name}", _made(one)) for one in others]
    rows += [(f"selector/{task}", "the trained emotion selector (Implicit Q-Learning)") for task in shared.selectors]
    rows.append(("dataset", "episodes and scenarios as Parquet, with a card: a data set repository as it is"))
    return table(("where", "what"), rows)


def _loading(shared: Contents, adapter: Adapter, top: bool) -> list[str]:
    lines = [
        "```python",
        "from peft import PeftModel",
        "from transformers import AutoModelForCausalLM",
        "",
        f'base = AutoModelForCausalLM.from_pretrained("{shared.base}")',
        'model = PeftModel.from_pretrained(base, "FOLDER")',
        "",
        "# or with vLLM",
        "from vllm import LLM",
        "from vllm.lora.request import LoRARequest",
        "",
        f'engine = LLM("{shared.base}", enable_lora=True, max_lora_rank={_served(shared.config.sft.lora.rank)})',
        f'engine.chat(messages, lora_request=LoRARequest("{adapter.name}", 1, "FOLDER"))',
    ]
    if top:
        lines += ["", "from datasets import load_dataset", "", 'load_dataset("FOLDER/dataset", "rollouts")']
    return [*lines, "```", "", "The prompt is the project's own: `emodistill.rollout.prompts.messages`."]


def _served(rank: int) -> int:
    """The least power of two from 8 that holds an adapter's rank: vLLM can be set to these, not to any rank."""
    return max(8, 1 << (rank - 1).bit_length())


def _data(shared: Contents) -> list[str]:
    config = shared.config
    domains = [domain_named(key) for key in config.scenarios.domains]
    train = sum(one.split == "train" for one in shared.scenarios.values())
    lines = [
        f"Agent-to-agent negotiations on {train} training scenarios "
        f"({'; '.join(f'{d.key}: {d.focal_role} against {d.counterparty_role}, in {d.unit}' for d in domains)}). "
        f"{len(shared.scenarios) - train} scenarios are held out: nothing was trained, filtered or tuned on them.",
        "",
        f"- Rollouts: {played_by(config)}.",
        f"- Judge of every focal utterance (1 to 10): {cell(label(config.models.judge))}.",
    ]
    scored = [
        f"- {row['domain']}: {row['turns']} focal turns judged, {row['missing']} scores missing."
        for row in shared.tables["judge"]
    ]
    return lines + scored


def _method(config: Config) -> list[str]:
    sft, jpo, iql, imported = config.sft, config.jpo, config.iql, config.sweep.imported
    sweep = (
        f"{config.sweep.rollouts} episodes a scenario, a random one of 28 GoEmotions labels at each focal turn"
        if imported is None
        else f"{imported.episodes} episodes that were played elsewhere, with the emotions that their files state"
    )
    return [
        "After EmoDistill (arXiv 2605.26785):",
        "",
        f"- Sweep: {sweep}.",
        f"- Selector: Implicit Q-Learning on the {iql.signal} signal, {iql.steps} steps, τ {iql.tau}, γ {iql.gamma}, "
        f"β {iql.beta}.",
        f"- SFT: the best {100 * sft.keep_fraction:g} % of turns by the {sft.signal} signal, loss on response tokens; "
        f"LoRA rank {sft.lora.rank}, α {sft.lora.alpha}, on {', '.join(map(cell, sft.lora.targets))}; learning rate "
        f"{sft.learning_rate:g}, {sft.epochs} epoch(s).",
        f"- JPO: clipped policy gradient on {jpo.signal} advantages with a KL term (ε {jpo.epsilon}, β {jpo.beta_kl}, "
        f"κ {jpo.kappa}); learning rate {jpo.learning_rate:g}, {jpo.epochs} epoch(s).",
        f"- At most {config.negotiation.max_messages} messages a negotiation; seed {config.seed}.",
    ]


def _use() -> list[str]:
    return [
        "Research on emotion as a strategic channel between language-model agents: audits of how far a negotiator can "
        "be pushed by emotional language, agents that are robust to it, rules that take the channel into account.",
        "Not for negotiations with people, nor for decisions that touch them.",
    ]  # fmt: skip


def _licence(base: str) -> str:
    known = licence_of(base)
    whose = f"The base model's is {known}, taken over here" if known else "The base model's own terms hold"
    return f"{whose}; whoever shares this folder chooses the terms for the adapter and names them in the front matter."
