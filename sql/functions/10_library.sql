create function pgml._library_path()
returns text
language sql
stable
parallel safe
security definer
set search_path = pg_catalog, pg_temp
as $$
    select c.setting || '/pgml/' || e.extversion
    from pg_config() c, pg_extension e
    where c.name = 'PKGLIBDIR' and e.extname = 'pgml'
$$;
comment on function pgml._library_path() is 'where the Python part of this version is';

create function pgml._bootstrap()
returns void
language plpython3u
volatile
parallel unsafe
set search_path = pg_catalog, pg_temp
as $$
    if "pgml" in GD:
        return
    # Libraries start threads when they are imported; a thread that took one of the server's signals would break it.
    import os, signal, sys
    base = plpy.execute("select pgml._library_path() as path")[0]["path"]
    packages = "%s/lib/python%d.%d/site-packages" % (base, *sys.version_info[:2])
    if not os.path.isdir(packages + "/pgml"):
        plpy.error(
            "the Python part of pgml is missing",
            detail="There is no %s/pgml." % packages,
            hint='Run "make install" of the same version on the server, for the Python that PL/Python has there.',
            sqlstate="58P01",
        )
    if packages not in sys.path:
        sys.path.insert(0, packages)
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        from pgml import entry
        GD["pgml"] = entry.Entry(base)
    except ImportError as error:
        plpy.error(
            "the Python part of pgml does not load",
            detail="%s (in %s)" % (error, packages),
            hint='Run "make install" of the same version on the server again, and let its user read that directory.',
            sqlstate="58P01",
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
$$;
comment on function pgml._bootstrap() is 'loads the library, once a session';

create function pgml._read_as_owner()
returns void
language plpython3u
stable
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    GD["pgml"].run_pending()
$$;
comment on function pgml._read_as_owner() is 'loads models into the cache; of no use from SQL';

create function pgml._write_as_owner()
returns void
language plpython3u
volatile
parallel unsafe
security definer
set search_path = pg_catalog, pg_temp
as $$
    # @bootstrap@
    GD["pgml"].run_pending()
$$;
comment on function pgml._write_as_owner() is 'stores models and deployments; of no use from SQL';
