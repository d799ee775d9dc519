import { defineConfig } from 'prisma/config'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
// The schema engine asks the catalog for columns of the types "char" and name, of which the adapter does not know that they
// are texts.
const described = (pg as any).Query.prototype.handleRowDescription
;(pg as any).Query.prototype.handleRowDescription = function (message: any) {
  for (const field of message.fields) if ([18, 19].includes(field.dataTypeID)) field.dataTypeID = 25
  return described.call(this, message)
}
// What is idle in a pool does not keep the tool from ending.
const at = (database: string) => ({ host: '127.0.0.1', port: +process.env.PORT!, user: 'quorate', database, allowExitOnIdle: true })
// The adapter's own way drops the shadow database before it has left it.
class Adapter extends PrismaPg {
  async connectToShadowDb() {
    const name = `${process.env.DATABASE}_shadow`
    const main = await this.connect()
    await main.executeScript(`DROP DATABASE IF EXISTS "${name}"`)
    await main.executeScript(`CREATE DATABASE "${name}"`)
    await main.dispose()
    return new PrismaPg(at(name)).connect()
  }
}
export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'schema.prisma',
  migrations: { path: 'migrations' },
  adapter: async () => new Adapter(at(process.env.DATABASE!)),
})
