create table pgml.settings (
    name text primary key,
    value bigint not null check (value >= 0),
    constraint known check (name in (
        'batch_threads',
        'child_memory_bytes',
        'child_threads',
        'cost_milliseconds',
        'max_cache_bytes',
        'max_model_bytes'
    )),
    constraint room_for_libraries check (
        name <> 'child_memory_bytes' or value = 0 or value >= 536870912
    )
);
comment on table pgml.settings is 'bounds set by the owner; without a row the default holds';
comment on column pgml.settings.name is 'batch_threads (2; 0, all cores), child_memory_bytes (0, no bound), child_threads (0, all cores), cost_milliseconds (60000; 0, no bound), max_cache_bytes (512 MB), max_model_bytes (256 MB)';

select pg_catalog.pg_extension_config_dump('pgml.settings', '');
