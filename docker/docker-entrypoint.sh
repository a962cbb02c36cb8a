#!/bin/bash
# docker-entrypoint.sh [postgres [ARGUMENT...] | COMMAND...]: a server, after making its data directory where there is none.
#
# The variables and /docker-entrypoint-initdb.d are those of the official image of PostgreSQL.
set -Eeuo pipefail
shopt -s nullglob

readonly SCRIPTS=${PGML_INITDB_DIRECTORY:-/docker-entrypoint-initdb.d}

fail() {
    printf 'pgml: %s\n' "$@" >&2
    exit 1
}

# read_setting NAME [DEFAULT]: the variable, or what is in the file that NAME_FILE names.
read_setting() {
    local name=$1 file=${1}_FILE
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        fail "$name and $file are both set" "Set one of them."
    fi
    local value=${!name:-${2:-}}
    if [ -n "${!file:-}" ]; then
        [ -r "${!file}" ] || fail "$file names ${!file}, which cannot be read" "Mount the secret there, readable for user $(id -u)."
        value=$(< "${!file}")
    fi
    unset "$file"
    export "$name=$value"
}

is_information() {
    local argument
    for argument; do
        case $argument in
            --help | -\? | --version | -V | --describe-config) return 0 ;;
        esac
    done
    return 1
}

# Volumes come with whatever owner their host gave them.
give_directories_to_postgres() {
    mkdir -p "$PGDATA" "${POSTGRES_INITDB_WALDIR:-$PGDATA}" /var/run/postgresql
    find "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} /var/run/postgresql \! -user postgres \
        -exec chown postgres:postgres {} +
    chmod 0700 "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"}
}

check_owner() {
    mkdir -p "$PGDATA" 2> /dev/null && [ -O "$PGDATA" ] && return
    fail "the directory $PGDATA is not of user $(id -u), as whom the server runs" \
        "Give it to that user, or name a new directory in a volume of theirs: docker run -e PGDATA=$PGDATA/pgdata …"
}

# initdb and psql ask for the user's name, which an id given to "docker run --user" has not.
name_the_user() {
    local library directory
    library=/usr/lib/$(uname -m)-linux-gnu/libnss_wrapper.so
    if getent passwd "$(id -u)" > /dev/null || [ ! -f "$library" ]; then
        return
    fi
    directory=$(mktemp -d)
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$directory:/bin/false" > "$directory/passwd"
    echo "postgres:x:$(id -g):" > "$directory/group"
    export LD_PRELOAD=$library NSS_WRAPPER_PASSWD=$directory/passwd NSS_WRAPPER_GROUP=$directory/group
}

unname_the_user() {
    [ -n "${NSS_WRAPPER_PASSWD:-}" ] || return 0
    rm -rf "$(dirname "$NSS_WRAPPER_PASSWD")"
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

check_settings() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-}
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$method" != trust ]; then
        fail "the superuser has no password" \
            "Set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE to a file that holds it: docker run -e POSTGRES_PASSWORD=… " \
            "POSTGRES_HOST_AUTH_METHOD=trust lets everybody in who reaches the port, without one."
    fi
    if [ "$method" = trust ]; then
        echo 'pgml: POSTGRES_HOST_AUTH_METHOD is "trust": everybody who reaches the port is a superuser' >&2
    fi
}

make_data_directory() {
    local -a arguments=()
    eval "arguments=($POSTGRES_INITDB_ARGS)"
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") \
        ${POSTGRES_INITDB_WALDIR:+"--waldir=$POSTGRES_INITDB_WALDIR"} "${arguments[@]}"
    touch "$UNFINISHED"
}

# A password method that is not said is the one passwords are stored for, as "postgres ARGUMENT..." decides.
allow_hosts() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption -D "$PGDATA" "$@")}
    printf '\nhost all all all %s\n' "$method" >> "$PGDATA/pg_hba.conf"
}

# Listens on a socket that nobody else knows, so that it is not taken for the server.
start_for_setup() {
    local -a arguments=("$@" -c listen_addresses= -c "unix_socket_directories=$PGHOST" -p "${PGPORT:-5432}")
    trap 'stop_after_setup || true' EXIT
    trap 'exit 130' INT TERM
    pg_ctl --pgdata="$PGDATA" --options="$(printf '%q ' "${arguments[@]}")" --wait --silent start
}

stop_after_setup() {
    trap - EXIT INT TERM
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait --silent stop
}

# query [OPTION...]: psql as the superuser, in the database that is asked for, until the first error.
query() {
    psql --no-psqlrc --set=ON_ERROR_STOP=1 --no-password --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" "$@"
}

create_database() {
    local known
    known=$(query --dbname=postgres --tuples-only --no-align --set=name="$POSTGRES_DB" \
        <<< "select 1 from pg_database where datname = :'name'")
    if [ -z "$known" ]; then
        query --dbname=postgres --quiet --set=name="$POSTGRES_DB" <<< 'create database :"name"'
    fi
    query --quiet <<< 'create extension if not exists pgml cascade'
}

run_scripts() {
    local script
    for script in "$SCRIPTS"/*; do
        echo "pgml: $script"
        case $script in
            *.sql) query --file="$script" ;;
            *.sql.gz) gunzip --stdout "$script" | query ;;
            *.sh)
                if [ -x "$script" ]; then
                    "$script"
                else
                    # In this shell, as the official image does it.
                    # shellcheck source=/dev/null
                    . "$script"
                fi
                ;;
            *) echo "pgml: ignored, as it ends in neither .sql nor .sql.gz nor .sh" ;;
        esac
    done
}

set_up() {
    check_settings
    name_the_user
    make_data_directory
    allow_hosts "$@"
    PGHOST=$(mktemp -d)
    export PGHOST PGPASSWORD=$POSTGRES_PASSWORD
    start_for_setup "$@"
    create_database
    run_scripts
    stop_after_setup
    rm -rf "$PGHOST" "$UNFINISHED"
    unset PGHOST PGPASSWORD
    unname_the_user
    echo 'pgml: the data directory is ready'
}

main() {
    case ${1:-} in
        '' | -*) set -- postgres "$@" ;;
    esac
    if [ "$1" != postgres ] || is_information "$@"; then
        exec "$@"
    fi
    export PGDATA=${PGDATA:-/var/lib/postgresql/data}
    if [ "$(id -u)" -eq 0 ]; then
        give_directories_to_postgres
        exec setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/var/lib/postgresql "$0" "$@"
    fi
    check_owner
    readonly UNFINISHED=$PGDATA/pgml-setup-unfinished
    if [ -e "$UNFINISHED" ]; then
        fail "the setup of $PGDATA was not finished" "Empty the directory or remove the volume, and start again."
    fi
    read_setting POSTGRES_PASSWORD
    read_setting POSTGRES_USER postgres
    read_setting POSTGRES_DB "$POSTGRES_USER"
    read_setting POSTGRES_INITDB_ARGS
    if [ ! -s "$PGDATA/PG_VERSION" ]; then
        set_up "${@:2}"
    fi
    # The server has no use for it, and who may run Python in the server could read it.
    unset POSTGRES_PASSWORD
    exec "$@"
}

main "$@"
