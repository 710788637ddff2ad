#!/bin/bash
# Install ansible-core, the oracle of the inventory tests, into .cache/ansible (nothing outside of it). Idempotent: does
# nothing when that release is there. The release is the one whose answers are recorded in test/schema/fixtures/expected.
#
#   test/setup/ansible.sh && VFLEET_REQUIRE_ANSIBLE=1 npx vitest run test/schema/inventory-oracle
#
# and with -u at the end the answers are recorded anew.
set -euo pipefail
cd "$(dirname "$0")/../.."

VERSION=2.19.14
FOLDER=.cache/ansible

[ ! -e "$FOLDER/ansible_core-$VERSION.dist-info" ] || exit 0
# Beside the old one first: a download that breaks off leaves no half of a release that looks whole.
rm -rf "$FOLDER.new"
PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input --target "$FOLDER.new" "ansible-core==$VERSION"
rm -rf "$FOLDER"
mv "$FOLDER.new" "$FOLDER"
