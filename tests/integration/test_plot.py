"""Pictures and pages of models, as ordinary roles get them."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pgml.usecases import pictures
from tests.cluster import Cluster, Connection, grant_pgml
from tests.results import notices, refusal, value
from tests.sharing import People, people, village

__all__ = ["people", "village"]
SETTING = """
create table rows as select n::float8 as a, n % 17 as b, (array['x', 'y', 'z'])[1 + n % 3] as c,
    case when n % 40 + n % 7 > 25 then 'high' when n % 3 = 0 then '<script>' else 'low' end as kind,
    n % 40 + n % 7 > 25 as large, n * 2.0 + n % 17 as price, n % 5 as rooms
from generate_series(1, 600) n;
create view kinds as select a, b, c, kind from rows;
create view sizes as select a, b, c, large from rows;
create view prices as select a, b, c, price from rows;
create view points as select a, b from rows;
create view some_kinds as select * from kinds where a > 300;
create view some_prices as select * from prices where a > 300;
create view pairs as select a, b, price, rooms from rows;
select pgml.train('kinds', 'kind', 'decision_tree', hyperparams => '{"max_depth": 4}');
select pgml.train('sizes', 'large', 'random_forest', hyperparams => '{"n_estimators": 10}', search => 'grid',
    search_params => '{"max_depth": [2, 4]}');
select pgml.train('sizes', 'large', 'linear', automatic_deploy => false);
select pgml.train('margins', 'classification', 'sizes', 'large', 'ridge');
select pgml.train('prices', 'price', 'gradient_boosting_trees', hyperparams => '{"n_estimators": 20}');
select pgml.train('lines', 'regression', 'prices', 'price', 'linear');
select pgml.train('groups', 'clustering', 'points', null, 'kmeans', '{"n_clusters": 4}');
select pgml.train('parts', 'decomposition', 'points', null, 'pca');
select pgml.train('odd', 'anomaly', 'points', null, 'isolation_forest');
select pgml.train_joint('pairs', null, 'pairs', array['price', 'rooms'], 'random_forest',
    hyperparams => '{"n_estimators": 5}');
"""
KINDS = {
    "roc", "precision_recall", "confusion_matrix", "calibration", "residuals", "feature_importance",
    "cluster_sizes", "leaderboard", "learning_curve", "search", "tree",
}  # fmt: skip
CLASSES = {"roc", "precision_recall", "confusion_matrix", "feature_importance", "leaderboard"}
SHOWN = {
    "kinds": CLASSES | {"calibration", "tree"},
    "sizes": CLASSES | {"calibration", "search", "tree"},
    "sizes_2": CLASSES | {"calibration"},
    "margins": CLASSES,
    "prices": {"residuals", "feature_importance", "leaderboard", "learning_curve", "tree"},
    "lines": {"residuals", "feature_importance", "leaderboard"},
    "groups": {"cluster_sizes", "feature_importance", "leaderboard"},
    "parts": {"leaderboard"},
    "odd": {"tree"},
    "pairs": {"residuals", "feature_importance", "leaderboard", "tree"},
}
OF_RELATION = (
    "roc",
    "precision_recall",
    "confusion_matrix",
    "calibration",
    "residuals",
    "feature_importance",
)


@pytest.fixture(scope="module")
def painter(cluster: Cluster) -> Iterator[Connection]:
    """An ordinary role's connection to a database where it has models of every task."""
    database = cluster.database_with_pgml()
    role = f"painter_{database}"
    grant_pgml(cluster, database, role)
    with cluster.connect(database, role) as connection:
        for statement in filter(str.strip, SETTING.split(";")):
            connection.execute(statement.encode())
        yield connection
    cluster.drop_database(database)
    cluster.drop_role(role)


def drawn(db: Connection, project: str, kind: str, *more: object) -> ElementTree.Element:
    """Return a picture that pgml.plot gives."""
    places = ", ".join(["%s"] * (2 + len(more)))
    return ElementTree.fromstring(value(db, f"select pgml.plot({places})", [project, kind, *more]))


def said(root: ElementTree.Element) -> str:
    return " ".join(root.itertext())


@pytest.mark.parametrize("project", SHOWN)
def test_each_model_is_shown_as_what_it_has(painter: Connection, project: str) -> None:
    for kind in KINDS:
        if kind in SHOWN[project]:
            root = drawn(painter, project, kind)
            assert root.get("viewBox") == f"0 0 640 {root.get('height')}"
        else:
            named = ", ".join(f'"{each}"' for each in pictures_in_order(SHOWN[project]))
            with refusal("42804", f'has nothing to show as "{kind}"', named):
                drawn(painter, project, kind)


def pictures_in_order(kinds: set[str]) -> list[str]:
    return [each for each in pictures.KINDS if each in kinds]


def test_a_kind_that_does_not_exist_is_named_with_those_of_the_model(painter: Connection) -> None:
    with refusal("22023", 'kind "ROC" does not exist', '"precision_recall"'):
        drawn(painter, "kinds", "ROC")
    with refusal("22023", 'kind "residual" does not exist', 'Perhaps you meant "residuals"'):
        drawn(painter, "lines", "residual")
    with refusal("22023", "kind must not be null", "confusion_matrix"):
        painter.execute("select pgml.plot('kinds', null)")


@pytest.mark.parametrize("width", [279, 2001, -1])
def test_a_width_that_nothing_fits_is_refused(painter: Connection, width: int) -> None:
    with refusal("22023", f"width must be between 280 and 2000, not {width}", "in pixels"):
        drawn(painter, "kinds", "roc", None, width)


def test_a_picture_is_as_wide_as_it_is_asked_to_be(painter: Connection) -> None:
    assert drawn(painter, "kinds", "tree", None, 400).get("width") == "400"
    assert drawn(painter, "kinds", "tree", None, None).get("width") == "640"


def test_a_model_is_drawn_by_its_id_and_by_its_name_too(painter: Connection) -> None:
    by_name = value(painter, "select pgml.plot('sizes_2', 'roc')")
    again = "select pgml.plot(model_id, 'roc') from pgml.train('sizes', algorithm => 'linear')"
    with painter.transaction(force_rollback=True):
        by_id = value(painter, again)
    assert by_id.replace("sizes_3", "sizes_2") == by_name


@pytest.mark.parametrize("kind", OF_RELATION)
def test_pictures_of_a_relation_are_of_its_rows(painter: Connection, kind: str) -> None:
    project, relation = ("lines", "some_prices") if kind == "residuals" else ("kinds", "some_kinds")
    other = drawn(painter, project, kind, relation)
    assert kind == "feature_importance" or "on some_" in said(other)
    assert said(other) != said(drawn(painter, project, kind))


def test_the_rows_of_a_confusion_matrix_are_those_of_the_relation(painter: Connection) -> None:
    assert "of 300 rows are told right" in said(drawn(painter, "kinds", "confusion_matrix", "some_kinds"))


def test_rows_without_a_target_are_left_out_with_a_notice(painter: Connection) -> None:
    with painter.transaction(force_rollback=True), notices(painter) as heard:
        painter.execute("create view holes as select a, b, c, nullif(price, 34) as price from prices")
        drawn(painter, "lines", "residuals", "holes")
    assert heard == ['1 row(s) with NULL in "price" were left out']


def test_what_is_of_the_training_takes_no_relation(painter: Connection) -> None:
    with refusal("22023", 'kind "tree" is of the training, not of a relation', "Leave relation_name out"):
        drawn(painter, "kinds", "tree", "some_kinds")


def test_labels_are_text_in_pictures_and_pages(painter: Connection) -> None:
    text = value(painter, "select pgml.plot('kinds', 'confusion_matrix') || pgml.report('kinds')")
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_the_same_model_gives_the_same_picture(painter: Connection) -> None:
    for kind in SHOWN["kinds"]:
        call = f"select pgml.plot('kinds', '{kind}') = pgml.plot('kinds', '{kind}')"
        assert value(painter, call) is True


def test_points_of_residuals_are_bounded(painter: Connection) -> None:
    circles = "{http://www.w3.org/2000/svg}circle"
    assert 100 < len(list(drawn(painter, "lines", "residuals").iter(circles))) <= 2 * 500
    assert len(list(drawn(painter, "lines", "residuals", "prices").iter(circles))) == 2 * 500


def test_a_question_of_a_tree_is_in_the_words_of_the_columns(painter: Connection) -> None:
    text = said(drawn(painter, "kinds", "tree"))
    assert "The only tree of kinds_1" in text
    assert re.search(r"\b[abc]\b", text)
    assert "≤" in text
    assert "Its numbers are added to those of the other trees" in said(drawn(painter, "prices", "tree"))


def test_a_page_tells_of_the_project(painter: Connection) -> None:
    page = value(painter, "select pgml.report('sizes')")
    assert page.startswith("<!DOCTYPE html>")
    for wanted in (
        "sizes_1",
        "sizes_2",
        "random_forest",
        "max_depth",
        "pgml.train(",
        "What was live",
        "<svg",
    ):
        assert wanted in page
    assert page.count("<svg") == len(SHOWN["sizes"])
    for project in SHOWN:
        assert "</html>" in value(painter, "select pgml.report(%s)", [project])


def test_the_training_on_a_page_can_be_run_again(painter: Connection) -> None:
    page = value(painter, "select pgml.report('kinds')")
    code = re.search(r"(select \* from pgml\.train\(.*?\);)", page, re.DOTALL)
    assert code
    statement = code[1].replace("&#x27;", "'").replace("&quot;", '"').replace("&gt;", ">")
    with painter.transaction(force_rollback=True):
        again = painter.execute(statement.encode()).fetchone()
    assert again is not None
    assert again[2] == "decision_tree"
    before = value(painter, "select value from pgml.evaluate('kinds') where metric = 'accuracy'")
    assert again[7] == before


def test_psql_writes_a_picture_into_a_file(painter: Connection, cluster: Cluster, tmp_path: Path) -> None:
    target = tmp_path / "roc.svg"
    script = f"select pgml.plot('kinds', 'roc') \\g (format=unaligned tuples_only=on) {target}\n"
    role, database = painter.info.user, painter.info.dbname
    done = cluster.psql(database, script, role)
    assert done.returncode == 0, done.stderr
    assert ElementTree.parse(target).getroot().get("role") == "img"
    plain = cluster.psql(database, "select pgml.plot('kinds', 'roc')", role, options=["-At"])
    assert plain.stdout == target.read_text()


def test_who_may_only_predict_sees_pictures_of_own_rows_alone(people: People) -> None:
    people.grant(people.bob)
    with people.session(people.bob) as bob:
        for kind in ("residuals", "feature_importance", "leaderboard", "tree", "search"):
            with refusal("42501", 'permission denied for project "line"', "manage"):
                drawn(bob, "line", kind)
        with refusal("42501", "permission denied"):
            bob.execute("select pgml.report('line')")
        assert "on own_line" in said(drawn(bob, "line", "residuals", "own_line"))
        bob.execute("create view other_line as select a, b, y from own_line")
        with refusal("22023", "does not exist", '"residuals", "feature_importance"'):
            drawn(bob, "line", "nothing")


def test_who_may_manage_sees_what_the_owner_sees(people: People) -> None:
    people.grant(people.bob, "manage")
    with people.session(people.bob) as bob, people.session(people.ana) as ana:
        for kind in ("residuals", "leaderboard", "tree"):
            assert said(drawn(bob, "line_2", kind)) == said(drawn(ana, "line_2", kind))
        assert "line_2" in value(bob, "select pgml.report('line')")


def test_nobody_else_learns_that_a_project_is_there(people: People) -> None:
    with people.session(people.eve) as eve:
        for call in ("pgml.plot('line', 'residuals')", "pgml.plot('line', 'nothing')", "pgml.report('line')"):
            with refusal("42704", "does not exist"):
                eve.execute(f"select {call}".encode())


def test_pictures_need_no_writing(painter: Connection) -> None:
    with painter.transaction(force_rollback=True):
        painter.execute("set transaction read only")
        for kind in SHOWN["kinds"]:
            drawn(painter, "kinds", kind)
        assert value(painter, "select pgml.report('kinds')")
