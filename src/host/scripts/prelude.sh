# Start of every script. Arguments arrive on stdin, one per line; a reply is fields that each end in NUL,
# between a begin and an end mark that carry the caller's nonce, so that a login banner in front is told apart.
# A lost connection must not stop a mutation half-way, hence a handler for SIGPIPE; were it ignored, so it would be in every
# program that is run from here.
trap : PIPE
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
umask 022
field() { printf '%s\0' "$@"; }
finish() { field vfleet-end "$nonce"; exit 0; }
refuse() { field refused "$1" "$2"; finish; }
# Input that ends early came from a connection that was lost: nothing has been changed yet, so just stop.
next() { IFS= read -r line || exit 65; }
next
nonce=$line
case $nonce in '' | *[!0-9a-f]*) exit 65 ;; esac
field "vfleet-begin $nonce"
