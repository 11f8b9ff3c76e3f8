import type { Client } from 'pg'

import { pause } from './pause.ts'
import {
  ADD_ITEMS,
  ADVANCE_ORDER,
  CANCEL_ORDER,
  CHANGE_EMAIL,
  CHOOSE_ORDER,
  CLOSING,
  LOCK_PRODUCTS,
  PLACE_ORDER,
  RESTOCK,
  SUM_ORDER,
  TAKE_STOCK,
  TRANSACTION_ID,
  VISIT,
} from './shop-statements.ts'

/** Does something in the shop inside a transaction, and returns how many changes of rows it made. */
type ShopAction = (client: Client) => Promise<number>

const NAMES = ['Ada', 'Grace', 'Edgar', 'Alan', 'Jim', 'Joan', 'Radia', 'Donald', 'Mary', 'Ken']

/** How often each action is taken, in relation to the others. */
const ACTIONS: readonly (readonly [number, ShopAction])[] = [
  [30, placeOrder],
  [22, (client) => rowsOf(client, ADVANCE_ORDER, ['new', 'paid'])],
  [18, (client) => rowsOf(client, ADVANCE_ORDER, ['paid', 'shipped'])],
  [9, cancelOrder],
  [9, (client) => rowsOf(client, RESTOCK)],
  [7, (client) => rowsOf(client, VISIT, visitor())],
  // A change of the key is a delete and an insert.
  [3, async (client) => 2 * (await rowsOf(client, CHANGE_EMAIL, [String((addressNumber += 1))]))],
  [3, changeMindOnItems],
]

/** The shop sells products 1 to this. */
const PRODUCTS = 8

/** Makes each new address unique. */
let addressNumber = 0

/** How often a transaction is rolled back instead of committed. */
const ROLLBACK_SHARE = 0.04

/**
 * Does one thing after the other in the shop until the signal aborts; the transaction that runs is finished.
 *
 * @param committed is told of each transaction how many changes of rows it committed.
 */
export async function runWriter(
  client: Client,
  signal: AbortSignal,
  committed: (changes: number) => void,
): Promise<void> {
  // They do not all begin at once.
  await betweenTwo(signal)
  while (!signal.aborted) {
    const action = chooseAction()
    await client.query('BEGIN')
    const changes = await action(client)
    if (Math.random() < ROLLBACK_SHARE) {
      await client.query('ROLLBACK')
    } else {
      await client.query('COMMIT')
      committed(changes)
    }
    await betweenTwo(signal)
  }
}

/** Closes the shop for the day. Returns the transaction's id; it changes one row of each table. */
export async function closeShop(client: Client, committed: (changes: number) => void): Promise<string> {
  await client.query('BEGIN')
  let changes = 0
  for (const statement of CLOSING) changes += await rowsOf(client, statement)
  const { rows } = await client.query<{ id: string }>(TRANSACTION_ID)
  await client.query('COMMIT')
  committed(changes)
  return rows[0]?.id ?? ''
}

async function placeOrder(client: Client): Promise<number> {
  const wanted = Array.from(
    { length: 1 + Math.floor(Math.random() * 3) },
    () => 1 + Math.floor(Math.random() * PRODUCTS),
  )
  const products = await client.query<{ id: number; name: string }>(LOCK_PRODUCTS, [wanted])
  const quantities = products.rows.map(() => 1 + Math.floor(Math.random() * 3))
  const [, name] = visitor()
  const { rows } = await client.query<{ id: string }>(PLACE_ORDER, [name])
  const order = rows[0]?.id
  const items = await rowsOf(client, ADD_ITEMS, [order, products.rows.map((product) => product.name), quantities])
  const taken = await rowsOf(client, TAKE_STOCK, [products.rows.map((product) => product.id), quantities])
  const summed = await rowsOf(client, SUM_ORDER, [order])
  return rows.length + items + taken + summed
}

async function cancelOrder(client: Client): Promise<number> {
  const { rows } = await client.query<{ id: string; items: number }>(CHOOSE_ORDER)
  const [order] = rows
  if (order === undefined) return 0
  return order.items + (await rowsOf(client, CANCEL_ORDER, [order.id]))
}

/** Items are put into an order and taken out again: a savepoint that is rolled back leaves nothing to be seen. */
async function changeMindOnItems(client: Client): Promise<number> {
  const { rows } = await client.query<{ id: string }>(PLACE_ORDER, [visitor()[1]])
  const order = rows[0]?.id
  await client.query('SAVEPOINT items')
  await client.query(ADD_ITEMS, [order, ['teapot', 'cups'], [1, 6]])
  await client.query('ROLLBACK TO SAVEPOINT items')
  return rows.length + (await rowsOf(client, ADD_ITEMS, [order, ['tea'], [1]]))
}

function betweenTwo(signal: AbortSignal): Promise<void> {
  return pause(20 + Math.random() * 100, signal)
}

function visitor(): readonly [email: string, name: string] {
  const name = NAMES[Math.floor(Math.random() * NAMES.length)] ?? 'Ada'
  return [`${name.toLowerCase()}@tea.test`, name]
}

function chooseAction(): ShopAction {
  let choice = Math.random() * ACTIONS.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, action] of ACTIONS) {
    choice -= weight
    if (choice < 0) return action
  }
  return placeOrder
}

async function rowsOf(client: Client, statement: string, values: readonly unknown[] = []): Promise<number> {
  const { rowCount } = await client.query(statement, [...values])
  return rowCount ?? 0
}
