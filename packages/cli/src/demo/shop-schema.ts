/** A table of the demo's shop. */
export interface ShopTable {
  readonly name: string
  readonly key: readonly string[]
}

/** The shop's tables, in the order in which they are created. */
export const SHOP_TABLES: readonly ShopTable[] = [
  { name: 'customers', key: ['email'] },
  { name: 'products', key: ['id'] },
  { name: 'orders', key: ['id'] },
  { name: 'order_items', key: ['order_id', 'line'] },
]

/**
 * The shop on its first day. Old rows of its own tables are to be seen in full by every driver, hence the replica
 * identity: rowtap itself never sets it unasked.
 */
export const SHOP_SCHEMA = `
CREATE TABLE customers (
  email text PRIMARY KEY,
  name text NOT NULL,
  visits integer NOT NULL DEFAULT 1
);
CREATE TABLE products (
  id integer PRIMARY KEY,
  name text NOT NULL,
  price numeric(10, 2) NOT NULL,
  stock integer NOT NULL
);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer text NOT NULL,
  status text NOT NULL DEFAULT 'new',
  total numeric(10, 2) NOT NULL DEFAULT 0,
  placed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE order_items (
  order_id bigint REFERENCES orders ON DELETE CASCADE,
  line integer,
  product text NOT NULL,
  quantity integer NOT NULL,
  PRIMARY KEY (order_id, line)
);

ALTER TABLE customers REPLICA IDENTITY FULL;
ALTER TABLE products REPLICA IDENTITY FULL;
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE order_items REPLICA IDENTITY FULL;

INSERT INTO customers (email, name) VALUES
  ('ada@tea.test', 'Ada'), ('grace@tea.test', 'Grace'), ('edgar@tea.test', 'Edgar'),
  ('alan@tea.test', 'Alan'), ('jim@tea.test', 'Jim'), ('joan@tea.test', 'Joan');
INSERT INTO products (id, name, price, stock) VALUES
  (1, 'tea', 4.50, 60), (2, 'coffee', 7.20, 60), (3, 'cocoa', 5.10, 60), (4, 'honey', 6.80, 60),
  (5, 'sugar', 1.90, 60), (6, 'cups', 12.00, 60), (7, 'teapot', 34.00, 60), (8, 'spoons', 9.50, 60);
INSERT INTO orders (customer, status, total) VALUES ('Ada', 'shipped', 9.00), ('Jim', 'shipped', 34.00);
INSERT INTO order_items (order_id, line, product, quantity) VALUES (1, 1, 'tea', 2), (2, 1, 'teapot', 1);
`
