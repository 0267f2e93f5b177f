//! The world behind the ports: SQLite, files, mail, programs, clocks.
