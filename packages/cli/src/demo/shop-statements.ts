/** A customer visits: the first time a row is inserted, later it is updated. $1 email, $2 name. */
export const VISIT = `
INSERT INTO customers (email, name) VALUES ($1, $2)
ON CONFLICT (email) DO UPDATE SET visits = customers.visits + 1`

/** A customer changes the address, which is the key: $1 is a number that makes the new one unique. */
export const CHANGE_EMAIL = `
UPDATE customers SET email = lower(name) || $1::text || '@tea.test'
WHERE email = (SELECT email FROM customers ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)`

/** Locks products in the order of their keys, so that two orders never wait for each other. $1 their ids. */
export const LOCK_PRODUCTS = `
SELECT id, name FROM products WHERE id = ANY ($1::integer[]) ORDER BY id FOR UPDATE`

/** An order. $1 the customer's name. */
export const PLACE_ORDER = `
INSERT INTO orders (customer) VALUES ($1) RETURNING id`

/** An order's items, all in one statement. $1 the order, $2 names of products, $3 quantities. */
export const ADD_ITEMS = `
INSERT INTO order_items (order_id, line, product, quantity)
SELECT $1, item.line, item.product, item.quantity
FROM unnest($2::text[], $3::integer[]) WITH ORDINALITY AS item (product, quantity, line)`

/** Takes what was ordered out of the stock. $1 ids of products, $2 quantities. */
export const TAKE_STOCK = `
UPDATE products SET stock = stock - taken.quantity
FROM unnest($1::integer[], $2::integer[]) AS taken (id, quantity)
WHERE products.id = taken.id`

/** Writes an order's total into it. $1 the order. */
export const SUM_ORDER = `
UPDATE orders SET total = (
  SELECT coalesce(sum(order_items.quantity * products.price), 0)
  FROM order_items JOIN products ON products.name = order_items.product
  WHERE order_items.order_id = orders.id
)
WHERE id = $1`

/** Takes an order that nobody else works on from one status to the next. $1 from, $2 to. */
export const ADVANCE_ORDER = `
UPDATE orders SET status = $2
WHERE id = (SELECT id FROM orders WHERE status = $1 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`

/** Chooses an order to cancel, and locks it: nobody can add an item to it from then on. */
export const CHOOSE_ORDER = `
SELECT id, (SELECT count(*)::integer FROM order_items WHERE order_id = orders.id) AS items
FROM orders WHERE status = 'new' ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED`

/** Cancels an order: its items go with it. $1 the order. */
export const CANCEL_ORDER = `DELETE FROM orders WHERE id = $1`

/** Fills the stock of what is running out. */
export const RESTOCK = `
UPDATE products SET stock = stock + 40
WHERE id = (SELECT id FROM products ORDER BY stock LIMIT 1 FOR UPDATE SKIP LOCKED)`

/** The last transaction of the day touches each table once: whoever has seen it has seen everything before it. */
export const CLOSING: readonly string[] = [
  `UPDATE customers SET visits = visits + 1 WHERE email = (SELECT min(email) FROM customers)`,
  `UPDATE products SET stock = stock + 1 WHERE id = 1`,
  `UPDATE orders SET status = 'archived' WHERE id = 1`,
  `UPDATE order_items SET quantity = quantity + 1 WHERE order_id = 1`,
]

/** The id of the transaction that runs. */
export const TRANSACTION_ID = `SELECT pg_current_xact_id()::text AS id`

/** When transactions committed, in microseconds since 1970. $1 their ids. */
export const COMMIT_TIMES = `
SELECT id, (extract(epoch FROM pg_xact_commit_timestamp(id::xid)) * 1000000)::bigint::text AS "time"
FROM unnest($1::text[]) AS id`
