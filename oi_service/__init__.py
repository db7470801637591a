"""The engine room: store, codec, money, dates, clock. No rule of the Fund lives here."""
