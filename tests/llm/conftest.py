import pytest

from emodistill.config import VLLM, OpenAI
from emodistill.llm import make_model

from fault_server import KEY


@pytest.fixture
def http_spec(monkeypatch):
    """Describes a model on an endpoint; its key is there, and its retries are quick."""
    monkeypatch.setenv("TEST_KEY", KEY)
    monkeypatch.setattr("emodistill.llm.openai._BACKOFF_S", 0.01)
    return lambda url, **settings: OpenAI(backend="openai", model="m", base_url=url, api_key_env="TEST_KEY", **settings)


@pytest.fixture
def http_model(http_spec, request):
    """Opens such a model, and closes it after the test."""

    def connect(url, **settings):
        model = make_model(http_spec(url, **settings))
        request.addfinalizer(model.close)
        return model

    return connect


@pytest.fixture(scope="session")
def engine(tiny_model):
    model = make_model(VLLM(backend="vllm", model="tiny-random", max_model_len=1024))
    yield model
    model.close()
