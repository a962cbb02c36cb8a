"""Free texts as weights of their words."""

import json
from hashlib import md5
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from pgml import preprocessing
from pgml.dataset import Dataset
from pgml.errors import InvalidValue
from pgml.preprocessing import Encoder, Family, checked
from pgml.preprocessing.texts import tokens
from tests.unit import builders

PLAIN = Family(scaled=True, takes_missing=True, dtype="float64")
TEXTS = [
    "I want a refund, a REFUND!",
    "great: works as described",
    "",
    "Größe passt nicht / straße 5",
    "i want it",
    "great: works as described",
    "... --- ...",
    "x_1 Über über 東京",
]
LATER = ["refund great great", "nothing known here", "", "東京 5"]


def fitted(texts: Any, encode: Any) -> tuple[Encoder, Any]:
    data = column(texts)
    plans = checked({"t": encode if "encode" in encode else {"encode": encode}}, data.columns, ())
    encoder, matrix = preprocessing.fit(data, data.columns, PLAIN, plans, None, 0)
    np.testing.assert_array_equal(encoder.encode(data), matrix)
    again = Encoder.from_json(json.loads(json.dumps(encoder.as_json())))
    assert again == encoder
    one = np.vstack([again.encode(data.take(np.array([row]))) for row in range(len(data))])
    np.testing.assert_array_equal(one, matrix)
    assert len(encoder.matrix_columns) == matrix.shape[1]
    return encoder, matrix


def column(texts: Any) -> Dataset:
    return builders.dataset({"t": ("text", list(texts))})


def test_words_are_weighted_as_by_scikit_learn() -> None:
    expected = TfidfVectorizer(token_pattern=r"\w+").fit(TEXTS)
    encoder, matrix = fitted(TEXTS, "tfidf")
    names = [f"t~{word}" for word in expected.get_feature_names_out()]
    assert [label for _, label in encoder.matrix_columns] == names
    assert "t~größe" in names
    np.testing.assert_allclose(matrix, expected.transform(TEXTS).toarray(), rtol=1e-12)
    np.testing.assert_allclose(encoder.encode(column(LATER)), expected.transform(LATER).toarray(), rtol=1e-12)


def test_the_words_kept_are_those_that_most_rows_have() -> None:
    texts = ["a a a a b", "b c", "c d", "d e", None]
    encoder, matrix = fitted(texts, {"tfidf": {"max_features": 2}})
    assert encoder.matrix_columns == [("t", "t~b"), ("t", "t~c")]
    known = ["" if text is None else text for text in texts]
    expected = TfidfVectorizer(token_pattern=r"\w+", vocabulary=["b", "c"]).fit_transform(known)
    np.testing.assert_allclose(matrix, expected.toarray())


def test_a_missing_text_has_no_words_unless_it_is_filled() -> None:
    for encode in ("tfidf", "hash"):
        encoder, matrix = fitted(["a b", None, ""], encode)
        np.testing.assert_array_equal(matrix[1:], 0)
        assert encoder.encodings[0].filled == ""
        filled, matrix = fitted(["a b", None, "c"], {"encode": encode, "impute": {"constant": "c"}})
        np.testing.assert_array_equal(matrix[1], matrix[2])
        assert matrix[1].any()
        np.testing.assert_array_equal(filled.encode(column([None])), filled.encode(column(["c"])))
        mode, _ = fitted(["b", None, "a", "b"], {"encode": encode, "impute": "mode"})
        assert mode.encodings[0].filled == "b"


@pytest.mark.parametrize("features", [1, 7, 64])
def test_words_are_hashed_to_places_and_signs(features: int) -> None:
    encoder, matrix = fitted(TEXTS, {"hash": {"features": features}})
    expected = np.zeros((len(TEXTS), features))
    for row, text in enumerate(TEXTS):
        for word in tokens(text):
            digest = md5(word.encode()).digest()
            place = int.from_bytes(digest[:4], "little") % features
            expected[row, place] += -1 if digest[4] % 2 else 1
    lengths = np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(matrix, expected / np.where(lengths == 0, 1, lengths), atol=1e-15)
    assert encoder.matrix_columns[-1] == ("t", f"t#{features - 1}")


def test_a_hash_never_changes() -> None:
    encoder, _ = fitted(["anything"], {"hash": {"features": 8}})
    found = encoder.encode(column(["Refund", "great great refund"]))
    # Their MD5 begin with df6f85687a and acaa16770d.
    expected = np.zeros((2, 8))
    expected[:, 7] = 1, 5**-0.5
    expected[1, 4] = -2 * 5**-0.5
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_each_text_is_weighed_once_however_many_rows_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(preprocessing.texts, "tokens", lambda text: asked.append(text) or tokens(text))
    encoder, _ = fitted(["a b"] * 50 + ["c"], "tfidf")
    asked.clear()
    encoder.encode(column(["a b"] * 500 + ["c"] * 300))
    assert sorted(asked) == ["a b", "c"]


def test_texts_without_any_word_are_refused() -> None:
    with pytest.raises(InvalidValue, match='feature "t" holds no word') as caught:
        fitted(["...", None], "tfidf")
    assert '"tfidf"' in caught.value.hint
    assert not fitted(["...", None], "hash")[1].any()
