"""The Graph client: clouds, credentials, batching, retries, paging, errors. It knows HTTP and knows no kind."""
