//! Typed artifacts rendered for people: Markdown, HTML and the agency's templates.
