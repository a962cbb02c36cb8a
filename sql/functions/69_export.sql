create function pgml.export_onnx(project_name text)
returns bytea
language plpgsql
volatile
parallel unsafe
as $$
begin
    return (pgml._do_with_file('export_onnx', pg_catalog.jsonb_build_object('project_name', project_name), null)).file;
end
$$;
comment on function pgml.export_onnx(text) is 'a project''s live model as an ONNX file that takes raw features';

create function pgml.export_onnx(model_id bigint)
returns bytea
language plpgsql
volatile
parallel unsafe
as $$
begin
    return (pgml._do_with_file('export_onnx_of_model', pg_catalog.jsonb_build_object('model_id', model_id), null)).file;
end
$$;
comment on function pgml.export_onnx(bigint) is 'one model as an ONNX file that takes raw features';

create function pgml.export_pmml(project_name text)
returns text
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.convert_from(
        (pgml._do_with_file('export_pmml', pg_catalog.jsonb_build_object('project_name', project_name), null)).file, 'UTF8'
    );
end
$$;
comment on function pgml.export_pmml(text) is 'a project''s live model as PMML';

create function pgml.export_pmml(model_id bigint)
returns text
language plpgsql
volatile
parallel unsafe
as $$
begin
    return pg_catalog.convert_from(
        (pgml._do_with_file('export_pmml_of_model', pg_catalog.jsonb_build_object('model_id', model_id), null)).file, 'UTF8'
    );
end
$$;
comment on function pgml.export_pmml(bigint) is 'one model as PMML';

create function pgml.export_model(project_name text)
returns bytea
language plpgsql
volatile
parallel unsafe
as $$
begin
    return (pgml._do_with_file('export_model', pg_catalog.jsonb_build_object('project_name', project_name), null)).file;
end
$$;
comment on function pgml.export_model(text) is 'a project''s live model for pgml.import_model elsewhere';

create function pgml.export_model(model_id bigint)
returns bytea
language plpgsql
volatile
parallel unsafe
as $$
begin
    return (pgml._do_with_file('export_model_of_model', pg_catalog.jsonb_build_object('model_id', model_id), null)).file;
end
$$;
comment on function pgml.export_model(bigint) is 'one model for pgml.import_model elsewhere';
