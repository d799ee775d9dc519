#!/usr/bin/env bash
# Prisma: a schema pushed, migrated and pulled; then the client: app.sh PORT DATABASE
set -u
cd "$(dirname "$0")"
export PORT=$1 DATABASE=$2 CI= NO_COLOR=1 PRISMA_HIDE_UPDATE_MESSAGE=1 CHECKPOINT_DISABLE=1
# It stays for a minute after `migrate dev`. The tool, at a terminal (`migrate dev` wants one), without what it says each time.
prisma() {
    echo "== $*"
    timeout 200 script -qec "node_modules/.bin/prisma $*" /dev/null < /dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;?]*[a-zA-Z]//g' |
        grep -v '^ *$\|^Loaded Prisma\|^Prisma config det\|^Prisma schema loaded\|^Datasource "db"\|^WARNING: Your schema\|^- \|^The values from\|^We recommend you\|was successfully reset\|now in sync with your Prisma\|^✔\|^✖\|^   *at schema'
}
rm -rf migrations
cp schema.prisma start.prisma
prisma db push --force-reset --skip-generate --accept-data-loss
prisma db push --skip-generate
prisma migrate reset --force --skip-generate --skip-seed
prisma migrate dev --name init --skip-generate --skip-seed
sed -i 's/  views    Int        @default(0)/  views    BigInt     @default(1)\n  extra    String?    @db.VarChar(30)/; s/^  ADMIN/  ADMIN\n  OWNER/' schema.prisma
prisma migrate diff --from-migrations migrations --to-schema-datamodel schema.prisma --script
prisma migrate dev --name more --skip-generate --skip-seed
prisma migrate diff --from-migrations migrations --to-schema-datamodel schema.prisma --exit-code
prisma migrate reset --force --skip-generate --skip-seed
prisma migrate deploy
prisma migrate status
prisma db pull --print
node_modules/.bin/prisma generate > /dev/null 2>&1
node app.mjs
mv start.prisma schema.prisma
